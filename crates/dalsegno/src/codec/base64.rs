//! Long base64 strings are kept as the bytes they stand for.
//!
//! A track's `encoded` repeats its title, author and address in base64, where compression cannot see
//! them. Unpacked it can. Only text that encodes to exactly itself again is touched.

use base64_simd::STANDARD;

use crate::error::{Error, Result};

/// Shorter strings gain less than noting their place costs.
const MIN_LEN: usize = 64;

/// A place where bytes stand for base64 text: how far after the last such place, and how many bytes.
pub(crate) type Place = (u32, u32);

/// `text` with its long base64 strings decoded, and where they were.
pub(crate) fn pack(text: &[u8]) -> (Vec<u8>, Vec<Place>) {
    let mut out = Vec::with_capacity(text.len());
    let mut places = Vec::new();
    let (mut copied, mut last_out, mut open) = (0, 0, 0);
    for quote in memchr::memchr_iter(b'"', text) {
        let inner = text.get(open..quote).unwrap_or_default();
        if let Some(bytes) = decode(inner) {
            out.extend_from_slice(text.get(copied..open).unwrap_or_default());
            let place = u32::try_from(out.len() - last_out).ok();
            if let (Some(skip), Ok(len)) = (place, u32::try_from(bytes.len())) {
                places.push((skip, len));
                out.extend_from_slice(&bytes);
                (copied, last_out) = (quote, out.len());
            } else {
                copied = open;
            }
        }
        open = quote + 1;
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    (out, places)
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() < MIN_LEN || !text.len().is_multiple_of(4) {
        return None;
    }
    let bytes = STANDARD.decode_to_vec(text).ok()?;
    (STANDARD.encode_to_string(&bytes).as_bytes() == text).then_some(bytes)
}

/// The text again.
///
/// # Errors
/// `Damaged` where a place lies outside of the bytes.
pub(crate) fn unpack(packed: &[u8], places: &[Place]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(packed.len() + packed.len() / 2);
    let mut rest = packed;
    for (skip, len) in places {
        let (plain, after) = take(rest, *skip)?;
        let (bytes, after) = take(after, *len)?;
        out.extend_from_slice(plain);
        STANDARD.encode_append(bytes, &mut out);
        rest = after;
    }
    out.extend_from_slice(rest);
    Ok(out)
}

fn take(bytes: &[u8], len: u32) -> Result<(&[u8], &[u8])> {
    bytes
        .split_at_checked(len as usize)
        .ok_or_else(|| Error::damaged("a record's base64 place lies outside of it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> usize {
        let (packed, places) = pack(text.as_bytes());
        assert_eq!(unpack(&packed, &places).unwrap(), text.as_bytes());
        places.len()
    }

    #[test]
    fn long_strings_are_unpacked_and_come_back() {
        let long = STANDARD
            .encode_to_string(&b"Never Gonna Give You Up, by somebody with a long name"[..]);
        assert_eq!(
            round(&format!("{{\"encoded\":\"{long}\",\"x\":\"{long}\"}}")),
            2
        );
        assert_eq!(round(&format!("\"{long}\"\"{long}\"")), 2);
    }

    #[test]
    fn what_would_not_come_back_is_left_alone() {
        let a = "A".repeat(64);
        assert_eq!(round(&a), 0, "no quotes");
        assert_eq!(
            round(&format!("\"{}\"", &a[1..])),
            0,
            "not a multiple of four"
        );
        assert_eq!(
            round(&format!("\"{}B==\"", &a[..61])),
            0,
            "bits that encoding would not set"
        );
        assert_eq!(round(&format!("\"{}-_\"", &a[..62])), 0, "another alphabet");
        assert_eq!(round(&format!("\"{a}")), 0, "no end");
    }

    #[test]
    fn places_outside_are_damage() {
        assert!(unpack(b"abc", &[(2, 2)]).is_err());
        assert!(unpack(b"abc", &[(u32::MAX, u32::MAX)]).is_err());
    }
}
