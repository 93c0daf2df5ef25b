//! How far the next bytes need no look of their own.

use wide::{u8x16, u8x64};

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// Where skipping came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At the quote that ends the string.
    Quote(usize),
    /// At something to look at byte by byte: a backslash, a control character, or the end of the piece.
    Other(usize),
}

/// Skips, in a string, what ends it not and is right: plain bytes, and escapes that stand in one block.
///
/// How many of them a block has is as good as random, so that asking costs more than doing without: whatever
/// is common is computed for every block, and only what is rare is asked for.
#[inline]
pub(crate) fn skip(text: &[u8]) -> Stop {
    let mut at = 0;
    while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        let marks = Marks::of(block);
        if marks.backslashes & marks.backslashes << 1 != 0 {
            // Which of several in a row escapes the next is seen byte by byte.
            return Stop::Other(at + plain(block));
        }
        let ends = marks.quotes & !(marks.backslashes << 1);
        // All bits below the first end; all where there is none.
        let before = (ends & ends.wrapping_neg()).wrapping_sub(1);
        let escapes = marks.backslashes & before;
        let second = escapes & escapes.wrapping_sub(1);
        let third = second & second.wrapping_sub(1);
        let controls = marks.controls & before != 0;
        let cut = escapes >> (BLOCK - 1) != 0;
        let wrong = is_wrong(block, escapes) | is_wrong(block, second);
        if controls | cut | wrong | (third != 0) {
            if controls {
                return Stop::Other(at + plain(block));
            }
            if let Some(place) = first_wrong(block, escapes & (u64::MAX >> 1)) {
                return Stop::Other(at + place);
            }
            if cut {
                // It goes on in the next block.
                at += BLOCK - 1;
                continue;
            }
        }
        if ends != 0 {
            return Stop::Quote(at + ends.trailing_zeros() as usize);
        }
        at += BLOCK;
    }
    let rest = text.get(at..).unwrap_or_default();
    at += plain(rest);
    match text.get(at) {
        Some(b'"') => Stop::Quote(at),
        _ => Stop::Other(at),
    }
}

/// Whether the first of the escapes is none by two bytes alone. No escape is not wrong.
#[inline]
fn is_wrong(block: &[u8; BLOCK], escapes: u64) -> bool {
    let place = escapes.trailing_zeros() as usize + 1;
    // Where there is none, or it ends in the next block, the byte that is looked at does not count.
    let letter = block.get(place % BLOCK).copied().unwrap_or_default();
    (escapes != 0) & !is_simple(letter)
}

/// Where the first escape is that is not right, or does not end in this block.
fn first_wrong(block: &[u8; BLOCK], mut escapes: u64) -> Option<usize> {
    while escapes != 0 {
        let place = escapes.trailing_zeros() as usize;
        let right = match block.get(place + 1) {
            Some(b'u') => block
                .get(place + 2..place + 6)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
            letter => letter.is_some_and(|letter| is_simple(*letter)),
        };
        if !right {
            return Some(place);
        }
        escapes &= escapes - 1;
    }
    None
}

/// How many bytes come before the first that is a quote, a backslash or a control character.
fn plain(text: &[u8]) -> usize {
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let found = text.iter().position(special);
    found.unwrap_or(text.len())
}

/// Whether a backslash and this byte are an escape by themselves.
#[inline]
pub(crate) fn is_simple(byte: u8) -> bool {
    const SIMPLE: [bool; 256] = {
        let (mut set, mut place) = ([false; 256], 0);
        let letters = b"\"\\/bfnrt";
        while place < letters.len() {
            set[letters[place] as usize] = true;
            place += 1;
        }
        set
    };
    SIMPLE.get(usize::from(byte)).copied().unwrap_or_default()
}

/// A bit for each byte of a block, the first the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marks {
    quotes: u64,
    backslashes: u64,
    controls: u64,
}

impl Marks {
    #[inline]
    fn of(block: &[u8; BLOCK]) -> Self {
        let bytes = u8x64::from(*block);
        let last_control = u8x64::splat(0x1f);
        Self {
            quotes: bytes.simd_eq(u8x64::splat(b'"')).to_bitmask(),
            backslashes: bytes.simd_eq(u8x64::splat(b'\\')).to_bitmask(),
            controls: bytes.min(last_control).simd_eq(bytes).to_bitmask(),
        }
    }
}

/// How many digits stand at the beginning.
#[inline]
pub(crate) fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// How many bytes of white space stand at the beginning.
#[inline]
pub(crate) fn spaces(text: &[u8]) -> usize {
    let mut at = 0;
    // Indentation is of any length; seen at once, none is a surprise.
    while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let bytes = u8x16::from(*block);
        let same = |byte| bytes.simd_eq(u8x16::splat(byte));
        let space = same(b' ') | same(b'\n') | same(b'\t') | same(b'\r');
        let count = space.to_bitmask().trailing_ones();
        at += count as usize;
        if count < 16 {
            return at;
        }
    }
    let is_space = |byte: &&u8| matches!(**byte, b' ' | b'\t' | b'\n' | b'\r');
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(is_space).count()
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
                text.extend(
                    b"x0041 and a good deal more, so that this is not the end of the text \" \\",
                );
                let expected = match end {
                    b'"' => Stop::Quote(length),
                    _ => Stop::Other(length),
                };
                assert_eq!(skip(&text), expected, "{end}");
            }
            assert_eq!(skip(&vec![b'~'; length]), Stop::Other(length));
        }
        for harmless in (0x20..=0xff_u8).filter(|byte| !b"\"\\".contains(byte)) {
            assert_eq!(skip(&[harmless; 200]), Stop::Other(200), "{harmless}");
        }
    }

    #[test]
    fn an_escape_is_skipped_or_stopped_at_and_never_taken_for_an_end() {
        for before in 0..130 {
            for (escape, skipped) in [
                ("\\\"", true),
                ("\\n", true),
                ("\\/", true),
                ("\\u00aF", true),
                ("\\u00g", false),
                ("\\x", false),
                ("\\\\", false),
            ] {
                let text = format!("{}{escape}{}\"", "x".repeat(before), "y".repeat(140));
                // At the end of a block it cannot be told.
                let unicode =
                    escape.len() > 2 && before % 64 < 63 && before % 64 + escape.len() > 64;
                let stops = !skipped || unicode;
                let expected = match stops {
                    true => Stop::Other(before),
                    false => Stop::Quote(text.len() - 1),
                };
                assert_eq!(skip(text.as_bytes()), expected, "{before} {escape}");
            }
        }
        let simple: Vec<u8> = (0..=255).filter(|byte| is_simple(*byte)).collect();
        assert_eq!(simple, b"\"/\\bfnrt");
    }

    #[test]
    fn vectors_see_what_is_there() {
        let mut block = [b'x'; BLOCK];
        for byte in 0..=255 {
            for place in 0..BLOCK {
                block[place] = byte;
                let bit = |there| u64::from(there) << place;
                let expected = Marks {
                    quotes: bit(byte == b'"'),
                    backslashes: bit(byte == b'\\'),
                    controls: bit(byte < 0x20),
                };
                assert_eq!(Marks::of(&block), expected, "{byte} at {place}");
                block[place] = b'y';
            }
        }
    }

    #[test]
    fn digits_and_white_space_end_where_they_end() {
        assert_eq!(digits(b"0123456789/"), 10);
        assert_eq!(digits(b":"), 0);
        assert_eq!(spaces(b" \t\n\r\x0b"), 4);
        assert_eq!(spaces(b"           \n      x"), 18);
        assert_eq!(spaces(b""), 0);
        for length in 0..60 {
            let text = [&b" \t\r\n".repeat(20)[..length], b"\x0b   "].concat();
            assert_eq!(spaces(&text), length);
        }
    }
}
