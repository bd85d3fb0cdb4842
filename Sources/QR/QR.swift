// QR: texts as codes that cameras read.
//
// It guarantees error correction level M, a quiet zone of four modules and dark modules on white, in each form. It refuses to know what
// the text means.
