//! Snapshots' files that only a key opens: standard age files with a passphrase.

use std::io::Read;
use std::path::Path;

use dalsegno::Result;
use dalsegno_sealed::{For, With};

use crate::file::{MAX_FILE_SIZE, SnapshotFile, read_file, write_file};

/// So many bytes more than a snapshot an age file of it has at most: its head, and 16 for each 64 KiB.
const AROUND: usize = 64 << 10;

impl SnapshotFile {
    /// Its text, sealed with `key`: an age file (version 1, a passphrase as its one recipient) that any program for such
    /// files opens.
    ///
    /// # Errors
    /// As [`write`](Self::write); `InvalidInput` for an empty key.
    pub fn seal(&self, key: &str) -> Result<Vec<u8>> {
        For::passphrase(key)?.seal_all(self.write()?.as_bytes())
    }

    /// Opens what [`seal`](Self::seal), or another program for age files, sealed.
    ///
    /// # Errors
    /// `WrongKey` where the key does not open it; `Damaged` where it was changed since; `InvalidInput` where it is no
    /// age file with a passphrase; as [`read`](Self::read).
    pub fn unseal(sealed: &[u8], key: &str) -> Result<Self> {
        let opened = With::passphrase(key)?.open(sealed);
        let opened = opened.map_err(|e| e.context("the sealed snapshot"))?;
        let mut text = Vec::new();
        let mut limited = opened.take(MAX_FILE_SIZE as u64 + 1);
        if let Err(error) = limited.read_to_end(&mut text) {
            return Err(limited
                .get_ref()
                .damage(error)
                .context("the sealed snapshot"));
        }
        Self::read(&text)
    }

    /// Writes it to `path`, sealed, as [`save`](Self::save) does.
    ///
    /// # Errors
    /// As [`seal`](Self::seal) and [`save`](Self::save).
    pub fn save_sealed(&self, path: &Path, key: &str) -> Result<()> {
        write_file(path, &self.seal(key)?)
    }

    /// Reads the sealed file at `path`.
    ///
    /// # Errors
    /// As [`unseal`](Self::unseal) and [`load`](Self::load).
    pub fn load_sealed(path: &Path, key: &str) -> Result<Self> {
        let sealed = read_file(path, MAX_FILE_SIZE + AROUND)?;
        Self::unseal(&sealed, key).map_err(|e| e.context(path.display()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use dalsegno::ErrorKind;
    use serde_json::json;

    use super::*;

    fn file() -> SnapshotFile {
        let mut file = SnapshotFile::new(7, 1_732_200_000.5);
        file.data.insert("player".to_owned(), json!({"volume": 75}));
        file
    }

    #[test]
    fn its_key_opens_it_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/secure.enc");
        file().save_sealed(&path, "right").unwrap();
        let sealed = std::fs::read(&path).unwrap();
        assert!(sealed.starts_with(b"age-encryption.org/v1\n-> scrypt "));
        assert!(!String::from_utf8_lossy(&sealed).contains("volume"));

        let again = SnapshotFile::load_sealed(&path, "right").unwrap();
        assert_eq!(again.data, file().data);
        assert!(again.is_checked());
        let error = SnapshotFile::load_sealed(&path, "wrong").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKey, "{error}");
    }

    #[test]
    fn what_was_changed_or_is_none_is_not_opened() {
        let mut sealed = file().seal("key").unwrap();
        let end = sealed.len() - 1;
        sealed[end] ^= 1;
        let error = SnapshotFile::unseal(&sealed, "key").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
        for none in [&b""[..], b"{}", &sealed[..30]] {
            let error = SnapshotFile::unseal(none, "key").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        }
        assert_eq!(file().seal("").unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
