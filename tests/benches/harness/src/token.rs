//! The token that calls come with where servers ask for one.

/// Signed by RS256, and good until the year 2100. Nobody has the private key any more.
pub const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImJlbmNoIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29t\
     L3JlYWxtcy9zaG9wIiwic3ViIjoiMGY3ZTBiMWMtOGEyZS00YTYwLTlkM2ItM2YxZjdhZDBhM2RlIiwiYXVkIjoiaXRlbXMi\
     LCJpYXQiOjE3NjMwMDAwMDAsImV4cCI6NDEwMjQ0NDgwMCwic2NvcGUiOiJpdGVtczpyZWFkIGl0ZW1zOndyaXRlIiwiYXpw\
     Ijoic2hvcC13ZWIifQ.VA30fElhlWbojOKRzXjK0JUTkFRrna9rdLMDa4guAcpeZOFz4QUTKRG9i49v9l14pMaUxxnyFGpSh\
     sq8PldzitJVjLtQn3gia1jMvFefCF_Ld7PhWvem_eeWJf_FfcQv7i8BgEBzbd-s7XtUnv0Mg0g9J6GP85uOHyb8XNCI3exDz\
     E9DGKeHkbjWHK0CaqHMvs0da-61_QHFG11Z1p1-GosfExgIgBPNpmwRn5GfD8lIJTHXv9xEt-xd0PY0vbJrawocVm7o_sq5w\
     0aGAq4M0P3NLN86JPAm0_zQFVNzw5XwxASn_0nNiJjE60aIkJqqYRD5iOkDfYvlEWmJvodPFw";

/// What it was signed with, as PEM.
pub const PUBLIC_KEY: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtON4z9MxcNvi0RsX1Cqo
GvPWRFQLQxWVMHFXhdIct2PKPqZM9oyUuKc5ZOtxoKbE8kkrGNQwh+0IcIi/O2Sh
IwebWyR1Lgcj0h/udM0YbZ0majoCPy+D6mAHoIz70e7yjgrpkmewBhexv9Yuzkzz
LCnMP+bLNz3UpRVx6o94MDkPXz7pd4+D1vrGiorhex0w+GcU/LON0okf5t7l60UW
pTbf3uUeL5dCw7Fx/RnfWw+x2lRHDWimI5TRRkLze6QYIlDJxQkyvlnRest85Vq1
0F4a7WNelWSBHc9Yn/ZFFDJILYhVk7e0WwIYKQutkIQ+FoplrafLHdDezEuGB1r5
gQIDAQAB
-----END PUBLIC KEY-----
";

/// Its `iss`.
pub const ISSUER: &str = "https://id.example.com/realms/shop";

/// Its `aud`.
pub const AUDIENCE: &str = "items";
