/// Self-signed P-256 certificates made for these tests alone, in the manner of LND's.
package enum TestCertificates {
    /// For `node-a`, `localhost` and 127.0.0.1; valid for a hundred years.
    package static let valid = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIB4DCCAYWgAwIBAgIUdvnzhOClp/RF2FXSnGhcmLOa+NEwCgYIKoZIzj0EAwIw
        MjEfMB0GA1UECgwWbG5kIGF1dG9nZW5lcmF0ZWQgY2VydDEPMA0GA1UEAwwGbm9k
        ZS1hMCAXDTI2MTEyMTA5MzMwOFoYDzIxMjYxMDI4MDkzMzA4WjAyMR8wHQYDVQQK
        DBZsbmQgYXV0b2dlbmVyYXRlZCBjZXJ0MQ8wDQYDVQQDDAZub2RlLWEwWTATBgcq
        hkjOPQIBBggqhkjOPQMBBwNCAAQZITd61QyqWQsbWe4GFqie68rVE9M9zKU8+kl9
        CoX/U6Wz7j0Z4ExYIHlbP0wFLfb/9e2C0/cQVQEnTcMxW5ixo3cwdTAdBgNVHQ4E
        FgQUNwaVYDXZ1jue2NrK3/kBCbv95N4wHwYDVR0jBBgwFoAUNwaVYDXZ1jue2NrK
        3/kBCbv95N4wDwYDVR0TAQH/BAUwAwEB/zAiBgNVHREEGzAZggZub2RlLWGCCWxv
        Y2FsaG9zdIcEfwAAATAKBggqhkjOPQQDAgNJADBGAiEAj6i2pOoCbBiihCHDwOIM
        J5ClPXNeKDEGaVJk9PMhIFMCIQDpkM7mdMQIiD/hZUNDLADWXrfgfKuO1wAQfy2E
        hrPV1g==
        -----END CERTIFICATE-----
        """.utf8)
    package static let validKey = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvIUTTeSa8lZVLWxn
        qjDmY2nwg96i1qCcBJeu0k8IibyhRANCAAQZITd61QyqWQsbWe4GFqie68rVE9M9
        zKU8+kl9CoX/U6Wz7j0Z4ExYIHlbP0wFLfb/9e2C0/cQVQEnTcMxW5ix
        -----END PRIVATE KEY-----
        """.utf8)

    /// For `node-b`; out of date since 2021.
    package static let expired = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIBSzCB8gIBATAKBggqhkjOPQQDAjAyMR8wHQYDVQQKDBZsbmQgYXV0b2dlbmVy
        YXRlZCBjZXJ0MQ8wDQYDVQQDDAZub2RlLWIwHhcNMjAwMTAxMDAwMDAwWhcNMjEw
        MTAxMDAwMDAwWjAyMR8wHQYDVQQKDBZsbmQgYXV0b2dlbmVyYXRlZCBjZXJ0MQ8w
        DQYDVQQDDAZub2RlLWIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQCj+YasKbs
        J6m2ushJGnBn+TQoEUqfJjfwcBe+1u9wnGolkObaZdJzb/c8DDpsoEgrH6ZzmDpW
        W6cdRYMuqW+QMAoGCCqGSM49BAMCA0gAMEUCIEvcqQRrIzUrG83YhMDob0qL+494
        MROM4sMpeqP/kIH+AiEAkS04EqTntSHWlfxiCA+0zYcxRIwq6y9LXTZMWIE9vCs=
        -----END CERTIFICATE-----
        """.utf8)
    package static let expiredKey = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMD9IRseowPREKq8q
        tg+hYNNsjdo2Nw2p8GqaKoe7u2qhRANCAAQCj+YasKbsJ6m2ushJGnBn+TQoEUqf
        JjfwcBe+1u9wnGolkObaZdJzb/c8DDpsoEgrH6ZzmDpWW6cdRYMuqW+Q
        -----END PRIVATE KEY-----
        """.utf8)
}
