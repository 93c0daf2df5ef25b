//! Bytes: how records, blocks and details are written, checked and read again.
//!
//! `docs/format.md` draws them. Everything read here is treated as untrusted: lengths are checked
//! before anything is allocated or indexed, and what does not fit is `Damaged`, never a panic.

mod base64;
pub(crate) mod block;
mod buffer;
pub(crate) mod checksum;
pub(crate) mod deed;
pub(crate) mod detail;
pub(crate) mod entry;
pub(crate) mod note;
pub(crate) mod pack;
pub(crate) mod record;

use crate::error::{Error, Result};

/// Reads a postcard value that must fill `bytes` to the end.
fn read<'a, T: serde::Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(Error::damaged(format!(
            "{what}: {} bytes too many at its end",
            rest.len()
        ))),
        Err(error) => Err(Error::damaged(format!("{what}: {error}"))),
    }
}

/// Reads a postcard value from the beginning of `bytes`, and gives what is left.
fn read_first<'a, T: serde::Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<(T, &'a [u8])> {
    postcard::take_from_bytes(bytes).map_err(|e| Error::damaged(format!("{what}: {e}")))
}

/// Writes a postcard value; into memory, this has no way to fail.
fn write<T: serde::Serialize>(what: &str, value: &T) -> Result<Vec<u8>> {
    postcard::to_allocvec(value).map_err(|e| Error::storage(format!("{what}: {e}")))
}
