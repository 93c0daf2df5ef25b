//! Sealing.

use std::io::{self, Write};

use age::secrecy::SecretString;
use age::stream::StreamWriter;
use age::x25519;
use dalsegno::{Error, Result};

use crate::{invalid, secret};

/// Who can open a file.
pub struct For(Who);

enum Who {
    Passphrase(SecretString),
    Recipients(Vec<x25519::Recipient>),
}

impl For {
    /// Whoever has the passphrase. Making a key of it takes about a second, when sealing and when opening.
    ///
    /// # Errors
    /// `InvalidInput` where it is empty.
    pub fn passphrase(passphrase: &str) -> Result<Self> {
        Ok(Self(Who::Passphrase(secret(passphrase)?)))
    }

    /// Each of these recipients, as `age-keygen` tells them: `age1…`.
    ///
    /// # Errors
    /// `InvalidInput` where one of them is none, or there are none at all.
    pub fn recipients<S: AsRef<str>>(recipients: &[S]) -> Result<Self> {
        let read = |recipient: &S| {
            let text = recipient.as_ref().trim();
            // What begins otherwise may be somebody's secret.
            let shown = if text.starts_with("age1") {
                format!("'{text}'")
            } else {
                "this".to_owned()
            };
            text.parse().map_err(|why: &str| {
                invalid(format!(
                    "{shown} is no age recipient ({why}); it is 'age1…'"
                ))
            })
        };
        let all = recipients.iter().map(read).collect::<Result<Vec<_>>>()?;
        if all.is_empty() {
            return Err(invalid("no recipient was given, so nobody could open it"));
        }
        Ok(Self(Who::Recipients(all)))
    }

    pub(crate) fn one(recipient: x25519::Recipient) -> Self {
        Self(Who::Recipients(vec![recipient]))
    }

    /// Seals the whole of `text`.
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_all(&self, text: &[u8]) -> Result<Vec<u8>> {
        let mut sealing = self.seal(Vec::new())?;
        sealing.write_all(text).map_err(failed)?;
        sealing.finish()
    }

    /// Seals what is written to the answer, into `to`; it is whole once it is [finished](Sealing::finish).
    ///
    /// # Errors
    /// As `to` cannot be written.
    pub fn seal<W: Write>(&self, to: W) -> Result<Sealing<W>> {
        let encryptor = match &self.0 {
            Who::Passphrase(passphrase) => age::Encryptor::with_user_passphrase(passphrase.clone()),
            Who::Recipients(all) => {
                let all = all.iter().map(|it| it as &dyn age::Recipient);
                age::Encryptor::with_recipients(all)
                    .map_err(|e| invalid("nobody could open it").with_source(e))?
            }
        };
        encryptor.wrap_output(to).map(Sealing).map_err(failed)
    }
}

/// A file that is being sealed.
pub struct Sealing<W: Write>(StreamWriter<W>);

impl<W: Write> Sealing<W> {
    /// Writes the end, without which the file counts as cut off.
    ///
    /// # Errors
    /// As what it is written to cannot be written.
    pub fn finish(self) -> Result<W> {
        self.0.finish().map_err(failed)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

pub(crate) fn failed(error: io::Error) -> Error {
    Error::io("writing what is sealed", error)
}
