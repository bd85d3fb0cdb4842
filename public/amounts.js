// Amounts as people read them. Millisatoshis are whole numbers; no floating point touches them.

const THIN_SPACE = "\u2009";

/** Satoshis in groups of three; millisatoshis follow only where there are some. */
export function satoshis(msat) {
  const value = BigInt(msat);
  const whole = (value / 1000n).toString().replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  const rest = value % 1000n;
  return rest === 0n ? whole : `${whole}.${rest.toString().padStart(3, "0")}`;
}

/** `1:05:09`, or `5:09` below an hour; whole days and hours from two days on. */
export function countdown(seconds) {
  if (seconds >= 172800) return `${Math.floor(seconds / 86400)} days ${Math.floor(seconds / 3600) % 24} h`;
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
