//! Compression of a row's payload, marked by its first byte.

use std::cell::RefCell;

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};

use super::buffer::Buffer;
use crate::document::MAX_SIZE;
use crate::error::{Error, Result};

/// The rest is the payload itself.
const PLAIN: u8 = 0;
/// The rest is a `u32` (little-endian) with the payload's length, then one zstd frame.
const ZSTD: u8 = 1;

/// Single records are compressed while somebody waits, blocks are not: beyond level 6 blocks become
/// hardly smaller, and above 12 slower to read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    Record = 3,
    Block = 6,
}

/// Single records below this gain too little to be worth the time: they are packed into blocks soon.
const MIN_LEN: usize = 4096;

/// No payload is larger: a document of the largest size, cut into its smallest items.
const MAX_LEN: usize = 2 * MAX_SIZE + (1 << 20);

thread_local! {
    // Making a context costs more than compressing a small record with it.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Runs `work` with the thread's context, made at the first use and after a failure.
fn with<C, T>(
    slot: &'static std::thread::LocalKey<RefCell<Option<C>>>,
    make: impl FnOnce() -> std::io::Result<C>,
    work: impl FnOnce(&mut C) -> std::io::Result<T>,
) -> std::io::Result<T> {
    let mut context = match slot.take() {
        Some(context) => context,
        None => make()?,
    };
    let done = work(&mut context)?;
    slot.set(Some(context));
    Ok(done)
}

/// The payload, compressed if that makes it smaller.
pub(crate) fn pack(payload: &[u8], effort: Effort) -> Result<Vec<u8>> {
    if payload.len() > MAX_LEN {
        return Err(Error::invalid(
            "the document is cut into too many items to be kept",
        ));
    }
    if payload.len() >= MIN_LEN {
        let level = effort as i32;
        let frame = with(
            &COMPRESSOR,
            || Compressor::new(level),
            |context| {
                context.set_compression_level(level)?;
                context.compress(payload)
            },
        )
        .map_err(|e| Error::io("compressing a record", e))?;
        let len = u32::try_from(payload.len())
            .ok()
            .filter(|_| frame.len() + 5 < payload.len());
        if let Some(len) = len {
            let mut out = Vec::with_capacity(frame.len() + 5);
            out.push(ZSTD);
            out.extend_from_slice(&len.to_le_bytes());
            out.extend_from_slice(&frame);
            return Ok(out);
        }
    }
    let mut out = Vec::with_capacity(payload.len() + 1);
    out.push(PLAIN);
    out.extend_from_slice(payload);
    Ok(out)
}

/// The payload again.
///
/// # Errors
/// `Damaged` where the bytes are not what [`pack`] writes.
pub(crate) fn unpack(packed: &[u8]) -> Result<Bytes> {
    match packed.split_first() {
        Some((&PLAIN, payload)) => Ok(Bytes::copy_from_slice(payload)),
        Some((&ZSTD, rest)) => {
            let (len, frame) = rest
                .split_first_chunk::<4>()
                .ok_or_else(|| Error::damaged("a compressed record is cut off"))?;
            let len = u32::from_le_bytes(*len) as usize;
            if len > MAX_LEN {
                return Err(Error::damaged(format!(
                    "a record claims to have {len} bytes"
                )));
            }
            let mut payload = Buffer::with_room(len);
            let into = payload.bytes_mut();
            let unpacked = with(&DECOMPRESSOR, Decompressor::new, |context| {
                context.decompress_to_buffer(frame, into)
            });
            let unpacked = unpacked
                .map_err(|e| Error::damaged("a record does not decompress").with_source(e))?;
            if unpacked == len {
                Ok(payload.freeze())
            } else {
                Err(Error::damaged(
                    "a record decompresses to another length than it states",
                ))
            }
        }
        Some((code, _)) => Err(Error::damaged(format!(
            "a record has the unknown coding {code}"
        ))),
        None => Err(Error::damaged("a record has no bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back_at_every_length() {
        for len in [0, 1, 100, MIN_LEN - 1, MIN_LEN, 100_000] {
            let even = vec![7; len];
            let odd: Vec<u8> = (0..len as u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect();
            for payload in [even, odd] {
                for effort in [Effort::Record, Effort::Block] {
                    let packed = pack(&payload, effort).unwrap();
                    assert!(packed.len() <= payload.len() + 1);
                    assert_eq!(unpack(&packed).unwrap(), payload);
                }
            }
        }
    }

    #[test]
    fn a_length_that_is_not_true_is_damage() {
        let mut packed = pack(&[7; 100_000], Effort::Block).unwrap();
        for len in [0_u32, 99_999, 100_001, u32::MAX] {
            packed[1..5].copy_from_slice(&len.to_le_bytes());
            assert!(unpack(&packed).is_err(), "{len}");
        }
        for packed in [&b""[..], &[9, 1], &[ZSTD], &[ZSTD, 1, 0, 0, 0]] {
            assert!(unpack(packed).is_err());
        }
    }
}
