//! How many of the next bytes need no look of their own.

/// Bytes that are looked at together; the compiler makes vector instructions of it.
const BLOCK: usize = 64;

/// How many bytes at the beginning are neither quotes, backslashes nor control characters.
#[inline]
pub(crate) fn plain(text: &[u8]) -> usize {
    let mut at = 0;
    // Most strings are short, and the end of long ones is found in this way too.
    while let Some(found) = special(text, at) {
        at += found;
        if found < 8 {
            return at;
        }
        if at % 32 == 0 {
            at += blocks(text.get(at..).unwrap_or_default());
        }
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

/// How many bytes stand in whole blocks without anything special.
fn blocks(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<BLOCK>();
    let plain = blocks.iter().take_while(|block| {
        let found = block
            .iter()
            .fold(0, |found, byte| found | u8::from(is_special(*byte)));
        found == 0
    });
    plain.count() * BLOCK
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

/// How many of the eight bytes at `at` come before anything special; nothing where there are no eight.
#[inline]
fn special(text: &[u8], at: usize) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let word = u64::from_le_bytes(*text.get(at..)?.first_chunk::<8>()?);
    // The classic zero-byte test, three times: (x - 1) & !x has its high bit where x was 0.
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let back = zero(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let found = (quote | back | control) & HIGH;
    // The lowest hit is exact; higher ones may be borrowed, so only it is used.
    Some((found.trailing_zeros() / 8) as usize)
}

/// How many digits stand at the beginning.
#[inline]
pub(crate) fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// How many bytes of white space stand at the beginning.
#[inline]
pub(crate) fn spaces(text: &[u8]) -> usize {
    let is_space = |byte: &&u8| matches!(**byte, b' ' | b'\t' | b'\n' | b'\r');
    text.iter().take_while(is_space).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_ends_it_is_found_wherever_it_stands() {
        for length in 0..300 {
            for end in [b'"', b'\\', 0, 0x1f, b'\n'] {
                let mut text = "é漢x".repeat(60).into_bytes();
                text.truncate(length);
                text.push(end);
                text.extend(b"\"more\\");
                assert_eq!(plain(&text), length, "{end}");
            }
            let text = vec![b'~'; length];
            assert_eq!(plain(&text), length);
        }
        for harmless in (0x20..=0xff_u8).filter(|byte| !b"\"\\".contains(byte)) {
            assert_eq!(plain(&[harmless; 200]), 200, "{harmless}");
        }
    }

    #[test]
    fn digits_and_white_space_end_where_they_end() {
        assert_eq!(digits(b"0123456789/"), 10);
        assert_eq!(digits(b":"), 0);
        assert_eq!(spaces(b" \t\n\r\x0b"), 4);
        assert_eq!(spaces(b""), 0);
    }
}
