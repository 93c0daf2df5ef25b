//! A key in a file, and texts that only it opens.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::ExposeSecret;
use age::x25519;
use dalsegno::{Error, ErrorKind, Result, durable};
use zeroize::Zeroizing;

use crate::open::identities;
use crate::seal::failed;
use crate::{For, With, invalid};

/// What every sealed text begins with.
const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";

/// More than this no file of identities has.
const MAX_LEN: u64 = 1 << 20;

/// A file with an age identity, as `age-keygen` writes it, which seals texts and opens them.
///
/// Where it has several, the first one seals, and each opens: a new one is put above the old.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The file at `path`. It is made when it is first sealed with, and so is its folder, for their owner only; git is
    /// told to leave a folder out that was made for it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// A text sealed with the key: ASCII, an age file in armor, which any program for such files opens with the key's.
    ///
    /// # Errors
    /// `InvalidInput` where everybody can read the key; `WrongKey` where there is none in the file; `Denied` or
    /// `Storage` as the disk answers.
    pub fn seal(&self, text: &str) -> Result<String> {
        let identities = match self.read()? {
            Some(identities) => identities,
            None => self.make()?,
        };
        let first = identities.first().ok_or_else(|| self.missing())?;
        let to = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).map_err(failed)?;
        let mut sealing = For::one(first.to_public()).seal(to)?;
        sealing.write_all(text.as_bytes()).map_err(failed)?;
        let sealed = sealing.finish()?.finish().map_err(failed)?;
        String::from_utf8(sealed).map_err(|e| failed(io::Error::other(e)))
    }

    /// The text that was sealed. A key that is missing is not made.
    ///
    /// # Errors
    /// `WrongKey` where the key is missing, or another one; `Damaged` where the text was changed, or is none that was
    /// sealed; `InvalidInput`, `Denied` and `Storage` as for [`seal`](Self::seal).
    pub fn open(&self, sealed: &str) -> Result<String> {
        let damaged = || {
            let message = "the sealed text was changed or cut off, or is none; take another copy";
            Error::new(ErrorKind::Damaged, message)
        };
        let sealed = sealed.trim();
        if !sealed.starts_with(BEGIN) {
            return Err(damaged());
        }
        let identities = self.read()?.ok_or_else(|| self.missing())?;
        let opened = With::these(identities).open_all(ArmoredReader::new(sealed.as_bytes()));
        let text = opened.map_err(|e| match e.kind() {
            ErrorKind::WrongKey => {
                let shown = self.path.display();
                let message = format!(
                    "the key in {shown} is not the one that this was sealed with; put that one back, or name its file"
                );
                Error::new(ErrorKind::WrongKey, message).with_source(e)
            }
            _ => damaged().with_source(e),
        })?;
        String::from_utf8(text).map_err(|e| damaged().with_source(e))
    }

    fn read(&self) -> Result<Option<Vec<x25519::Identity>>> {
        let shown = self.path.display();
        let failed = |e| Error::io(format!("reading the key in {shown}"), e);
        let file = match File::open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        let about = file.metadata().map_err(failed)?;
        if about.permissions().mode() & 0o004 != 0 {
            return Err(invalid(format!(
                "everybody on this machine can read the key in {shown}: make it private (chmod 600)"
            )));
        }
        let mut text = Zeroizing::new(Vec::new());
        file.take(MAX_LEN).read_to_end(&mut text).map_err(failed)?;
        let identities = std::str::from_utf8(&text)
            .map_err(|_| invalid("it is not text"))
            .and_then(identities);
        identities.map(Some).map_err(|e| {
            let message = format!("there is no key in {shown}; put a copy of it back ({e})");
            Error::new(ErrorKind::WrongKey, message)
        })
    }

    fn make(&self) -> Result<Vec<x25519::Identity>> {
        make_folder(&durable::folder_of(&self.path))?;
        let identity = x25519::Identity::generate();
        let (public, secret) = (identity.to_public(), identity.to_string());
        let secret = secret.expose_secret();
        let text = Zeroizing::new(format!("# public key: {public}\n{secret}\n"));
        // Where another process was faster, its key is the one that both have.
        durable::write_new(&self.path, text.as_bytes())?;
        self.read()?.ok_or_else(|| self.missing())
    }

    fn missing(&self) -> Error {
        let shown = self.path.display();
        let message = format!(
            "there is no key at {shown}, and only the one that this was sealed with opens it; put its file back, or name it"
        );
        Error::new(ErrorKind::WrongKey, message)
    }
}

/// Makes a folder that is missing; one that was made is kept out of git.
fn make_folder(folder: &Path) -> Result<()> {
    if fs::metadata(folder).is_ok() {
        return Ok(());
    }
    let failed = |e| Error::io(format!("making the folder {}", folder.display()), e);
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(folder).map_err(failed)?;
    durable::write_new(&folder.join(".gitignore"), b"*\n")?;
    durable::sync_folder(&durable::folder_of(folder)).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn its_key_is_made_once_for_its_owner_only_and_opens_all_that_it_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deep/keys");
        let path = place.join("key");
        let large = "Straße 😀 ".repeat(20_000);
        let sealed: Vec<_> = ["", "a", &large]
            .map(|text| KeyFile::new(&path).seal(text).unwrap())
            .into();
        assert!(
            sealed
                .iter()
                .all(|it| it.is_ascii() && it.starts_with(BEGIN))
        );
        assert_ne!(KeyFile::new(&path).seal("a").unwrap(), sealed[1]);
        for (sealed, text) in sealed.iter().zip(["", "a", &large]) {
            assert_eq!(KeyFile::new(&path).open(sealed).unwrap(), text);
            let from_elsewhere = format!("  {}\n\n", sealed.replace('\n', "\r\n"));
            assert_eq!(KeyFile::new(&path).open(&from_elsewhere).unwrap(), text);
        }
        assert_eq!((mode(&path), mode(&place)), (0o600, 0o700));
        assert_eq!(fs::read(place.join(".gitignore")).unwrap(), b"*\n");
        let mut left: Vec<_> = fs::read_dir(&place)
            .unwrap()
            .map(|it| it.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, [".gitignore", "key"]);
    }

    #[test]
    fn a_folder_that_was_there_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        KeyFile::new(folder.path().join("key")).seal("a").unwrap();
        assert!(!folder.path().join(".gitignore").exists());
    }

    #[test]
    fn any_program_for_age_files_opens_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let sealed = KeyFile::new(&path).seal("a secret").unwrap();
        let file = age::IdentityFile::from_file(path.display().to_string()).unwrap();
        let identities = file.into_identities().unwrap();
        let decryptor = age::Decryptor::new(ArmoredReader::new(sealed.as_bytes())).unwrap();
        let mut opened = decryptor
            .decrypt(identities.iter().map(|it| &**it as _))
            .unwrap();
        let mut text = String::new();
        opened.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a secret");
    }

    #[test]
    fn many_that_make_it_at_once_have_the_same() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("keys/key");
            let begin = std::sync::Barrier::new(8);
            let sealed: Vec<_> = std::thread::scope(|scope| {
                let each = || {
                    begin.wait();
                    KeyFile::new(&path).seal("a").unwrap()
                };
                let all: Vec<_> = (0..8).map(|_| scope.spawn(each)).collect();
                all.into_iter().map(|it| it.join().unwrap()).collect()
            });
            for sealed in sealed {
                assert_eq!(KeyFile::new(&path).open(&sealed).unwrap(), "a");
            }
        }
    }

    #[test]
    fn a_key_that_is_gone_is_asked_for_and_not_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("key"), folder.path().join("aside"));
        let key = KeyFile::new(&path);
        let sealed = key.seal("a").unwrap();
        fs::rename(&path, &aside).unwrap();
        let error = key.open(&sealed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKey);
        assert!(error.to_string().contains("put its file back"), "{error}");
        assert!(!path.exists());

        // Another one, which is then put above the one before.
        let newer = key.seal("b").unwrap();
        let error = key.open(&sealed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKey);
        assert!(error.to_string().contains("not the one"), "{error}");
        let both = [&path, &aside].map(|it| fs::read_to_string(it).unwrap());
        fs::write(&path, both.concat()).unwrap();
        assert_eq!(key.open(&sealed).unwrap(), "a");
        assert_eq!(key.open(&newer).unwrap(), "b");
        let sealed = key.seal("c").unwrap();
        assert_eq!(
            KeyFile::new(&aside).open(&sealed).unwrap_err().kind(),
            ErrorKind::WrongKey
        );
    }

    #[test]
    fn a_key_that_is_torn_or_for_everybody_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = KeyFile::new(&path);
        let sealed = key.seal("a").unwrap();
        let secret = fs::read_to_string(&path).unwrap();
        for torn in [&b""[..], b"\xff", &secret.as_bytes()[..secret.len() - 9]] {
            fs::write(&path, torn).unwrap();
            for error in [key.open(&sealed).unwrap_err(), key.seal("b").unwrap_err()] {
                assert_eq!(error.kind(), ErrorKind::WrongKey, "{error}");
                assert!(!error.to_string().contains("AGE-SECRET-KEY-1Q"), "{error}");
            }
            assert_eq!(fs::read(&path).unwrap(), torn);
        }
        fs::write(&path, secret).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = key.seal("b").unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        assert!(key.open(&sealed).is_err());
    }

    #[test]
    fn a_text_that_was_changed_cut_off_or_is_none_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyFile::new(folder.path().join("key"));
        let good = key.seal(&"a".repeat(1_000)).unwrap();
        let bytes = good.as_bytes();
        let mut bad = vec![
            String::new(),
            "{}".to_owned(),
            BEGIN.to_owned(),
            good.replace("END", "ENDE"),
        ];
        bad.extend(
            (0..bytes.len() - 1)
                .step_by(7)
                .map(|end| good[..end].to_owned()),
        );
        for at in (0..bytes.len())
            .step_by(11)
            .filter(|at| bytes[*at].is_ascii_alphanumeric())
        {
            let other = if bytes[at] == b'A' { "B" } else { "A" };
            bad.push(format!("{}{other}{}", &good[..at], &good[at + 1..]));
        }
        for text in bad {
            let error = key.open(&text).unwrap_err();
            // Of the part that says for whom it is, nobody can tell whether it was changed.
            let kinds = [ErrorKind::Damaged, ErrorKind::WrongKey];
            assert!(kinds.contains(&error.kind()), "{error}: {text}");
        }
    }
}
