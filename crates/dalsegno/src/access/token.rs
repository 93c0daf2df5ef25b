//! What a principal shows to say who it is.

use std::path::Path;

use base64_simd::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::clock;
use crate::error::{Error, Result};
use crate::key::file;

/// What a written token begins with.
const PREFIX: &str = "dalsegno-token-";

/// What the store keeps of a token.
pub(crate) type TokenHash = [u8; 32];

/// What a principal shows to say who it is: `dalsegno-token-…`. It is told once, when it is made; the store keeps only
/// its SHA-256. It is wiped from memory when it is dropped, and never shown by `Debug`.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        clock::fill_secret(&mut *bytes)?;
        let mut encoded = URL_SAFE_NO_PAD.encode_to_string(*bytes);
        let text = Zeroizing::new(format!("{PREFIX}{encoded}"));
        encoded.zeroize();
        Ok(Self(text))
    }

    /// A token as it is written. White space around it is not part of it.
    ///
    /// # Errors
    /// `InvalidInput` where it cannot be one.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let decoded = text
            .strip_prefix(PREFIX)
            .and_then(|encoded| URL_SAFE_NO_PAD.decode_to_vec(encoded).ok())
            .map(Zeroizing::new);
        match decoded {
            Some(bytes) if bytes.len() == 32 => Ok(Self(Zeroizing::new(text.to_owned()))),
            _ => Err(Error::invalid(format!(
                "a token is '{PREFIX}' and 43 characters; this one is cut off, mistyped or something else"
            ))),
        }
    }

    /// The token in a file, as [`parse`](Self::parse) reads it.
    ///
    /// # Errors
    /// `NotFound`, `Denied` or `Storage` as the file cannot be read; `InvalidInput` where it holds no token, or may be
    /// read by others than its owner and group.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = file::read(path, "token")?;
        Self::parse(&text).map_err(|e| e.context(path.display()))
    }

    /// The token as it is written, to be given to who is to have it.
    #[must_use]
    pub fn to_text(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_a_file_that_not_all_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let token = Token::generate().unwrap();
        std::fs::write(&path, format!("{}\n", token.to_text())).unwrap();
        let mode = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            Token::from_file(&path)
        };
        assert!(mode(0o644).unwrap_err().to_string().contains("chmod 600"));
        assert_eq!(mode(0o600).unwrap().hash(), token.hash());
        std::fs::write(&path, "a line of something else").unwrap();
        let refused = mode(0o600).unwrap_err().to_string();
        assert!(
            refused.contains("/token") && !refused.contains("a line"),
            "{refused}"
        );
    }

    #[test]
    fn a_token_is_written_and_read_again_and_never_shown() {
        let token = Token::generate().unwrap();
        let text = token.to_text();
        let again = Token::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(again.hash(), token.hash());
        assert_ne!(Token::generate().unwrap().hash(), token.hash());
        assert!(!format!("{token:?}").contains(&text[PREFIX.len()..]));
        for bad in [
            "",
            "hush",
            &text[..text.len() - 1],
            &text[1..],
            "dalsegno-key-AAAA",
        ] {
            let refused = Token::parse(bad).unwrap_err();
            assert!(bad.is_empty() || !refused.to_string().contains(bad));
        }
    }
}
