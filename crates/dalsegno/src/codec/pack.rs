//! Compression of a row's payload, marked by its first byte.

use crate::document::MAX_SIZE;
use crate::error::{Error, Result};

/// The rest is the payload itself.
const PLAIN: u8 = 0;
/// The rest is a `u32` (little-endian) with the payload's length, then one zstd frame.
const ZSTD: u8 = 1;

/// Level 3 makes smaller blocks than level 1 and, on these payloads, no slower ones.
const LEVEL: i32 = 3;

/// Single records below this gain too little to be worth the time.
const MIN_LEN: usize = 512;

/// No payload is larger: a document of the largest size, cut into its smallest items.
const MAX_LEN: usize = 2 * MAX_SIZE + (1 << 20);

/// The payload, compressed if that makes it smaller.
pub(crate) fn pack(payload: &[u8]) -> Result<Vec<u8>> {
    if payload.len() > MAX_LEN {
        return Err(Error::invalid(
            "the document is cut into too many items to be kept",
        ));
    }
    if payload.len() >= MIN_LEN {
        let frame = zstd::bulk::compress(payload, LEVEL)
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
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<u8>> {
    match packed.split_first() {
        Some((&PLAIN, payload)) => Ok(payload.to_vec()),
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
            let payload = zstd::bulk::decompress(frame, len)
                .map_err(|e| Error::damaged("a record does not decompress").with_source(e))?;
            if payload.len() == len {
                Ok(payload)
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
