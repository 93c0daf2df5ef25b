//! What opens a store, as people keep it: a key in a file, or a passphrase.

use std::path::Path;

use base64_simd::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, Zeroizing};

use super::{Key, file};
use crate::error::{Error, Result};

/// What a written key begins with: whatever begins otherwise is a passphrase.
const PREFIX: &str = "dalsegno-key-";

/// What opens an encrypted store: a key, or a passphrase from which one is made (with Argon2id, which takes
/// a moment and 64 MiB). It is wiped from memory when it is dropped, and never shown.
///
/// ```
/// use dalsegno::Secret;
///
/// let key = Secret::generate()?;
/// assert!(key.to_text().is_some_and(|text| text.starts_with("dalsegno-key-")));
/// let passphrase = Secret::parse("correct horse battery staple")?;
/// assert!(passphrase.to_text().is_none());
/// # Ok::<(), dalsegno::Error>(())
/// ```
#[derive(Clone)]
pub struct Secret(pub(crate) Form);

#[derive(Clone)]
pub(crate) enum Form {
    Key(Key),
    Passphrase(Zeroizing<String>),
}

impl Secret {
    /// A new key: 256 random bits of the operating system.
    ///
    /// # Errors
    /// `Storage` where the operating system has none.
    pub fn generate() -> Result<Self> {
        Key::random().map(|key| Self(Form::Key(key)))
    }

    /// A secret as it is written: `dalsegno-key-…` is a key, anything else a passphrase. White space around it is
    /// not part of it.
    ///
    /// # Errors
    /// `InvalidInput` where there is nothing, or half a key.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let Some(encoded) = text.strip_prefix(PREFIX) else {
            if text.is_empty() {
                return Err(Error::invalid("the key or passphrase is empty"));
            }
            return Ok(Self(Form::Passphrase(Zeroizing::new(text.to_owned()))));
        };
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(encoded).map(Zeroizing::new);
        let key = bytes.ok().and_then(|bytes| Key::from_slice(&bytes));
        key.map(|key| Self(Form::Key(key))).ok_or_else(|| {
            Error::invalid(format!(
                "a key is '{PREFIX}' and 43 characters; this one is cut off or mistyped"
            ))
        })
    }

    /// The secret in a file, as [`parse`](Self::parse) reads it.
    ///
    /// # Errors
    /// `NotFound`, `Denied` or `Storage` as the file cannot be read; `InvalidInput` where it holds no secret, or
    /// may be read by others than its owner and group.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = file::read(path, "key")?;
        Self::parse(&text).map_err(|e| e.context(path.display()))
    }

    /// A key as it is written, to be kept where the store is not; `None` of a passphrase.
    #[must_use]
    pub fn to_text(&self) -> Option<Zeroizing<String>> {
        match &self.0 {
            Form::Key(key) => {
                let mut encoded = URL_SAFE_NO_PAD.encode_to_string(key.bytes());
                let text = Zeroizing::new(format!("{PREFIX}{encoded}"));
                encoded.zeroize();
                Some(text)
            }
            Form::Passphrase(_) => None,
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Form::Key(_) => "Secret(key)",
            Form::Passphrase(_) => "Secret(passphrase)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_key_is_written_and_read_again_and_never_shown() {
        let key = Secret::generate().unwrap();
        let text = key.to_text().unwrap();
        assert_eq!(text.len(), PREFIX.len() + 43);
        let again = Secret::parse(&format!(" {}\n", *text)).unwrap();
        assert_eq!(*again.to_text().unwrap(), *text);
        assert!(!format!("{key:?}").contains(&text[PREFIX.len()..]));
        assert_eq!(
            format!("{:?}", Secret::parse("hush").unwrap()),
            "Secret(passphrase)"
        );
    }

    #[test]
    fn half_a_key_is_no_passphrase() {
        let text = Secret::generate().unwrap().to_text().unwrap();
        for bad in [&text[..text.len() - 1], PREFIX, "", " \n"] {
            let error = Secret::parse(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(bad.len() < 20 || !error.to_string().contains(&bad[20..]));
        }
    }

    #[test]
    fn a_file_that_all_can_read_or_that_is_something_else_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "correct horse\n").unwrap();
        let mode = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            Secret::from_file(&path)
        };
        assert!(mode(0o644).unwrap_err().to_string().contains("chmod 600"));
        assert!(mode(0o640).is_ok());
        assert!(mode(0o600).is_ok());
        std::fs::write(&path, vec![b'x'; 5000]).unwrap();
        assert!(mode(0o600).unwrap_err().to_string().contains("too long"));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(mode(0o600).unwrap_err().to_string().contains("not text"));
    }
}
