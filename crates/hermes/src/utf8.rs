//! Whether a text that comes in pieces is UTF-8.

/// What is held of a character that the end of a piece cut in two.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Utf8 {
    held: [u8; 4],
    len: usize,
}

impl Utf8 {
    /// Takes the next piece, and says whether all is well so far.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) -> bool {
        while self.len > 0 {
            let Some((&byte, rest)) = piece.split_first() else {
                return true;
            };
            piece = rest;
            if let Some(place) = self.held.get_mut(self.len) {
                *place = byte;
            }
            self.len += 1;
            let whole = self
                .held
                .first()
                .is_none_or(|lead| self.len >= length(*lead));
            if whole {
                let held = self.held.get(..self.len).unwrap_or_default();
                if std::str::from_utf8(held).is_err() {
                    return false;
                }
                self.len = 0;
            }
        }
        let (whole, cut) = piece.split_at(piece.len() - cut_off(piece));
        for (place, byte) in self.held.iter_mut().zip(cut) {
            *place = *byte;
        }
        self.len = cut.len();
        simdutf8::basic::from_utf8(whole).is_ok()
    }

    /// Whether no character is cut in two.
    pub(crate) fn is_whole(self) -> bool {
        self.len == 0
    }
}

/// How many bytes a character has that begins with `lead`.
fn length(lead: u8) -> usize {
    match lead {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

/// How many bytes at the end are the beginning of a character that goes on after it.
fn cut_off(piece: &[u8]) -> usize {
    let last = piece.iter().rev().take(3).zip(1..);
    for (byte, count) in last {
        if *byte >= 0xc0 {
            return if length(*byte) > count { count } else { 0 };
        }
        if *byte < 0x80 {
            return 0;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_whole_text_in_pieces_of_any_length() {
        let texts: [&[u8]; 12] = [
            "aé漢😀z".as_bytes(),
            b"\xff",
            b"a\xc3",
            b"\xc3\"",
            b"\xe6\xbc",
            b"\xe6\xbca",
            b"\xf0\x9f\x98",
            b"\xf0\x9f\x98\x80",
            b"\x80",
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\xf5\x80\x80\x80",
        ];
        for text in texts {
            for size in 1..=text.len() {
                let mut utf8 = Utf8::default();
                let good = text.chunks(size).all(|piece| utf8.feed(piece));
                let whole = std::str::from_utf8(text).is_ok();
                assert_eq!(good && utf8.is_whole(), whole, "{text:?} by {size}");
            }
        }
    }
}
