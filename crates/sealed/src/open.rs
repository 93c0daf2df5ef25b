//! Opening.

use std::io::{self, Read};

use age::secrecy::SecretString;
use age::stream::StreamReader;
use age::{DecryptError, Identity, scrypt, x25519};
use dalsegno::{Error, ErrorKind, Result};

use crate::{invalid, secret};

/// What every age file begins with.
const MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// Whether a file that begins so is an age file.
#[must_use]
pub fn is_sealed(beginning: &[u8]) -> bool {
    beginning.starts_with(MAGIC)
}

/// What opens a file.
pub struct With(Which);

enum Which {
    Passphrase(SecretString),
    Identities(Vec<x25519::Identity>),
}

impl With {
    /// The passphrase it was sealed with.
    ///
    /// # Errors
    /// `InvalidInput` where it is empty.
    pub fn passphrase(passphrase: &str) -> Result<Self> {
        Ok(Self(Which::Passphrase(secret(passphrase)?)))
    }

    /// The identities in a file as `age-keygen` writes it: lines `AGE-SECRET-KEY-1…`, and comments.
    ///
    /// # Errors
    /// `InvalidInput` where a line is something else, or there are none; the message shows none of it.
    pub fn identities(file: &str) -> Result<Self> {
        identities(file).map(Self::these)
    }

    pub(crate) fn these(identities: Vec<x25519::Identity>) -> Self {
        Self(Which::Identities(identities))
    }

    /// Opens the whole of a file that was sealed for it.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Opened::damage`].
    pub fn open_all<R: Read>(&self, sealed: R) -> Result<Vec<u8>> {
        let mut opened = self.open(sealed)?;
        let mut text = Vec::new();
        match opened.read_to_end(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(opened.damage(error)),
        }
    }

    /// Opens a file that was sealed for it: what is read from the answer is proved as it is read, and an error of it is to
    /// be given to [`Opened::damage`].
    ///
    /// # Errors
    /// `WrongKey` where it does not open the file; `Damaged` where the file's head was changed; `InvalidInput` where it
    /// is no age file.
    pub fn open<R: Read>(&self, from: R) -> Result<Opened<R>> {
        let decryptor = age::Decryptor::new_buffered(io::BufReader::new(from)).map_err(refused)?;
        let by_passphrase = decryptor.is_scrypt();
        let opened = match &self.0 {
            Which::Passphrase(_) if !by_passphrase => {
                return Err(Error::new(
                    ErrorKind::WrongKey,
                    "it was not sealed with a passphrase: one of its recipients opens it, with an identity",
                ));
            }
            Which::Identities(_) if by_passphrase => {
                return Err(Error::new(
                    ErrorKind::WrongKey,
                    "it was sealed with a passphrase: no identity opens it",
                ));
            }
            Which::Passphrase(passphrase) => {
                let identity = scrypt::Identity::new(passphrase.clone());
                decryptor.decrypt(std::iter::once(&identity as &dyn Identity))
            }
            Which::Identities(all) => decryptor.decrypt(all.iter().map(|it| it as &dyn Identity)),
        };
        opened.map(Opened).map_err(refused)
    }
}

/// The identities in a file; at least one.
pub(crate) fn identities(file: &str) -> Result<Vec<x25519::Identity>> {
    let lines = file.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let read = |(at, line): (usize, &str)| {
        line.parse().map_err(|why: &str| {
            let line = at + 1;
            invalid(format!("line {line} is no age identity ({why})"))
        })
    };
    let all = lines.map(read).collect::<Result<Vec<_>>>()?;
    if all.is_empty() {
        return Err(invalid(
            "there is no age identity (AGE-SECRET-KEY-1…) in it",
        ));
    }
    Ok(all)
}

/// A file that was opened.
pub struct Opened<R: Read>(StreamReader<io::BufReader<R>>);

impl<R: Read> Opened<R> {
    /// What an error in reading means: that the file was changed or cut off, or cannot be read.
    #[must_use]
    pub fn damage(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => {
                let message = "it was changed or cut off since it was sealed; take another copy";
                Error::new(ErrorKind::Damaged, message).with_source(error)
            }
            _ => Error::io("reading what is sealed", error),
        }
    }
}

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

fn refused(error: DecryptError) -> Error {
    let (kind, message) = match &error {
        DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed
        | DecryptError::NoMatchingKeys => (ErrorKind::WrongKey, "the key does not open it"),
        DecryptError::InvalidMac => (
            ErrorKind::Damaged,
            "it was changed since it was sealed; take another copy",
        ),
        DecryptError::ExcessiveWork { .. } => (
            ErrorKind::InvalidInput,
            "it was sealed with more work than this machine would do in reasonable time",
        ),
        DecryptError::Io(e) if !matches!(e.kind(), io::ErrorKind::UnexpectedEof) => {
            (ErrorKind::Storage, "it cannot be read")
        }
        _ => (ErrorKind::InvalidInput, "it is no age file"),
    };
    Error::new(kind, message).with_source(error)
}
