//! Files that only those they are for can read: standard [age](https://age-encryption.org/v1) files, which any program
//! for such files writes and opens too.
//!
//! ```
//! use dalsegno_sealed::{For, With};
//!
//! let sealed = For::passphrase("correct horse")?.seal_all(b"a state")?;
//! assert_eq!(With::passphrase("correct horse")?.open_all(&sealed[..])?, b"a state");
//! # Ok::<(), dalsegno::Error>(())
//! ```

mod keyfile;
mod open;
mod seal;

pub use keyfile::KeyFile;
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

    use age::secrecy::ExposeSecret;

    use super::*;

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
        let sealed = to_both.seal_all(&text).unwrap();
        assert!(is_sealed(&sealed) && !is_sealed(b"{\"dalsegno_export\":1}"));
        for file in [mine, yours] {
            let with = With::identities(&file).unwrap();
            assert_eq!(with.open_all(&sealed[..]).unwrap(), text);
        }
        let refused = With::identities(&other)
            .unwrap()
            .open_all(&sealed[..])
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WrongKey, "{refused}");
        let refused = With::passphrase("x")
            .unwrap()
            .open_all(&sealed[..])
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WrongKey, "{refused}");
        assert!(refused.to_string().contains("identity"), "{refused}");
    }

    #[test]
    fn what_was_changed_or_cut_off_is_damage() {
        let (file, recipient) = identity();
        let with = With::identities(&file).unwrap();
        let good = For::recipients(&[&recipient])
            .unwrap()
            .seal_all(&[1; 100_000])
            .unwrap();
        let mut changed = good.clone();
        let end = changed.len() - 1;
        changed[end] ^= 1;
        for bad in [&changed[..], &good[..end], &good[..70_000]] {
            let error = with.open_all(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
        }
        for none in [&b""[..], b"{}", &good[..30]] {
            let error = with.open_all(none).unwrap_err();
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
