public import Bolt
public import Payments

extension LibCrypto {
    public static func publicKey(of scalar: Bytes32) -> PublicKey? { Curve.shared.publicKey(of: scalar.storage.span) }

    public static func multiply(_ point: PublicKey, by scalar: Bytes32) -> PublicKey? { Curve.shared.multiply(point, by: scalar) }

    public static func multiply(scalar: Bytes32, by factor: Bytes32) -> Bytes32? { Curve.shared.multiply(scalar: scalar, by: factor) }

    public static func isOnCurve(_ point: PublicKey) -> Bool { Curve.shared.parse(point) != nil }

    public static func recoverPublicKey(from signature: RecoverableSignature, digest: Bytes32) -> PublicKey? {
        Curve.shared.recover(signature, digest: digest)
    }

    public static func verify(_ signature: RecoverableSignature, digest: Bytes32, by key: PublicKey) -> Bool {
        Curve.shared.verify(signature, digest: digest, by: key)
    }
}
