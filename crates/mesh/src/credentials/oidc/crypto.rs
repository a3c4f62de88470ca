//! Checks signatures with ring, which the process already uses for TLS.
//!
//! jsonwebtoken's own providers cost more: RustCrypto takes seven times as long for the RS256 token of a call and adds
//! 51 crates, AWS-LC builds a second C library in 45 CPU-seconds.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature,
};
use ring::signature::{self as ring_signature, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};

static PROVIDER: CryptoProvider =
    CryptoProvider { signer_factory: no_signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };

/// Makes this the process's way to check tokens. Repeating it does nothing.
pub(crate) fn install() {
    if PROVIDER.install_default().is_err() {
        tracing::trace!("tokens are checked already");
    }
}

/// Nothing is signed here.
fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if algorithm.family() != key.family() || algorithm.family() == AlgorithmFamily::Hmac {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(Verifier { algorithm: *algorithm, key: key.clone() }))
}

struct Verifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl signature::Verifier<Vec<u8>> for Verifier {
    fn verify(&self, message: &[u8], signed: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        let check = match self.algorithm {
            Algorithm::RS256 => self.rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA256, message, signed),
            Algorithm::RS384 => self.rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA384, message, signed),
            Algorithm::RS512 => self.rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA512, message, signed),
            Algorithm::PS256 => self.rsa(&ring_signature::RSA_PSS_2048_8192_SHA256, message, signed),
            Algorithm::PS384 => self.rsa(&ring_signature::RSA_PSS_2048_8192_SHA384, message, signed),
            Algorithm::PS512 => self.rsa(&ring_signature::RSA_PSS_2048_8192_SHA512, message, signed),
            Algorithm::ES256 => self.curve(&ring_signature::ECDSA_P256_SHA256_FIXED, message, signed),
            Algorithm::ES384 => self.curve(&ring_signature::ECDSA_P384_SHA384_FIXED, message, signed),
            Algorithm::EdDSA => self.curve(&ring_signature::ED25519, message, signed),
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 | _ => None,
        };
        check.ok_or_else(signature::Error::new)
    }
}

impl Verifier {
    fn rsa(&self, parameters: &'static RsaParameters, message: &[u8], signed: &[u8]) -> Option<()> {
        match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signed).ok()
            }
            DecodingKeyKind::SecretOrDer(_) => None,
        }
    }

    fn curve(
        &self,
        algorithm: &'static dyn ring_signature::VerificationAlgorithm,
        message: &[u8],
        signed: &[u8],
    ) -> Option<()> {
        let key = self.key.try_get_as_bytes().ok()?;
        UnparsedPublicKey::new(algorithm, key).verify(message, signed).ok()
    }
}

impl JwtVerifier for Verifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7515, appendix A.2.
    const MESSAGE: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

    #[test]
    fn an_rsa_signature_of_somebody_else_is_checked() {
        install();
        let key = DecodingKey::from_rsa_components(MODULUS, "AQAB").unwrap();
        let verify = |signed: &str, message: &str, algorithm| {
            jsonwebtoken::crypto::verify(signed, message.as_bytes(), &key, algorithm)
        };
        assert!(verify(SIGNATURE, MESSAGE, Algorithm::RS256).unwrap());
        assert!(!verify(SIGNATURE, &MESSAGE.replace("eyJpc3", "eyJpc4"), Algorithm::RS256).unwrap());
        assert!(!verify(SIGNATURE, MESSAGE, Algorithm::PS256).unwrap());
        assert!(verify(SIGNATURE, MESSAGE, Algorithm::HS256).is_err(), "a public key is no shared secret");
        assert!(verify(SIGNATURE, MESSAGE, Algorithm::ES256).is_err());
    }
}
