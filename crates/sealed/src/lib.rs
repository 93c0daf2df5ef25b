//! Files that only those they are for can read: standard [age](https://age-encryption.org/v1) files, which any program
//! for such files writes and opens too.
//!
//! ```
//! use dalsegno_sealed::{For, With};
//! use std::io::{Read, Write};
//!
//! let mut sealing = For::passphrase("correct horse")?.seal(Vec::new())?;
//! sealing.write_all(b"a state").unwrap();
//! let sealed = sealing.finish()?;
//!
//! let mut text = String::new();
//! With::passphrase("correct horse")?.open(&sealed[..])?.read_to_string(&mut text).unwrap();
//! assert_eq!(text, "a state");
//! # Ok::<(), dalsegno::Error>(())
//! ```

mod open;
mod seal;

pub use open::{Opened, With, is_sealed};
pub use seal::{For, Sealing};

use age::secrecy::SecretString;
use dalsegno::{Error, ErrorKind, Result};

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

fn secret(passphrase: &str) -> Result<SecretString> {
    if passphrase.is_empty() {
        return Err(invalid("an empty passphrase seals nothing; give one"));
    }
    Ok(SecretString::from(passphrase))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{Read, Write};

    use age::secrecy::ExposeSecret;

    use super::*;

    fn sealed(to: &For, text: &[u8]) -> Vec<u8> {
        let mut sealing = to.seal(Vec::new()).unwrap();
        sealing.write_all(text).unwrap();
        sealing.finish().unwrap()
    }

    fn opened(with: &With, sealed: &[u8]) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut opened = with.open(sealed)?;
        match opened.read_to_end(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(opened.damage(error)),
        }
    }

    /// What `age-keygen` writes, and the recipient in it.
    fn identity() -> (String, String) {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        let file = format!(
            "# created: 2026-11-20T10:00:00Z\n# public key: {recipient}\n{}\n",
            identity.to_string().expose_secret()
        );
        (file, recipient)
    }

    #[test]
    fn each_of_its_recipients_opens_it_and_nobody_else() {
        let text = vec![7; 200_000];
        let [(mine, to_me), (yours, to_you), (other, _)] = [identity(), identity(), identity()];
        let to_both = For::recipients(&[&to_me, &format!(" {to_you}\n")]).unwrap();
        let sealed = sealed(&to_both, &text);
        assert!(is_sealed(&sealed) && !is_sealed(b"{\"dalsegno_export\":1}"));
        for file in [mine, yours] {
            let with = With::identities(&file).unwrap();
            assert_eq!(opened(&with, &sealed).unwrap(), text);
        }
        let refused = opened(&With::identities(&other).unwrap(), &sealed).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WrongKey, "{refused}");
        let refused = opened(&With::passphrase("x").unwrap(), &sealed).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WrongKey, "{refused}");
        assert!(refused.to_string().contains("identity"), "{refused}");
    }

    #[test]
    fn what_was_changed_or_cut_off_is_damage() {
        let (file, recipient) = identity();
        let with = With::identities(&file).unwrap();
        let good = sealed(&For::recipients(&[&recipient]).unwrap(), &[1; 100_000]);
        let mut changed = good.clone();
        let end = changed.len() - 1;
        changed[end] ^= 1;
        for bad in [&changed[..], &good[..end], &good[..70_000]] {
            let error = opened(&with, bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
        }
        for none in [&b""[..], b"{}", &good[..30]] {
            let error = opened(&with, none).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        }
    }

    #[test]
    fn what_is_no_recipient_or_identity_is_named_but_no_secret_is_shown() {
        let (file, recipient) = identity();
        let error = For::recipients(&["age1nobody"]).err().unwrap();
        assert!(error.to_string().contains("age1nobody"), "{error}");
        assert!(For::recipients::<&str>(&[]).is_err());
        let secret = file.lines().last().unwrap();
        let error = For::recipients(&[secret]).err().unwrap();
        assert!(!error.to_string().contains(secret), "{error}");
        for bad in ["", "# nothing", &recipient, &secret[..30]] {
            let error = With::identities(bad).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(!error.to_string().contains(&secret[..30]), "{error}");
        }
        assert!(For::passphrase("").is_err() && With::passphrase("").is_err());
    }
}
