//! The one checksum of the format: XXH3, 128 bits, unseeded.
//!
//! It finds damage. It does not stop a forger, who can compute it anew: that is the work of keys.
//! The checksum of a state is over its text, so `xxhsum -H2` of a restored file prints the same.

use twox_hash::XxHash3_128;

use crate::document::Document;

/// 128 bits, the most significant byte first, as `xxhsum` prints them.
pub(crate) type Checksum = [u8; 16];

/// One that does not fit what `checksum` fits.
pub(crate) fn other(checksum: Checksum) -> Checksum {
    checksum.map(|byte| !byte)
}

pub(crate) fn of(bytes: &[u8]) -> Checksum {
    XxHash3_128::oneshot(bytes).to_be_bytes()
}

/// The checksum of the columns of a row, each marked with its length or presence, so that no two
/// different rows give the same bytes.
pub(crate) struct RowHasher {
    bytes: Vec<u8>,
}

impl RowHasher {
    /// For a row of `table` of the store `store`, so that a row that strays into another table or
    /// another store is found out.
    pub(crate) fn new(table: &str, store: &[u8; 16]) -> Self {
        let mut hasher = Self {
            bytes: Vec::with_capacity(192),
        };
        hasher.blob(table.as_bytes());
        hasher.bytes.extend_from_slice(store);
        hasher
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.bytes.push(1);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn optional_int(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.int(value),
            None => self.null(),
        }
    }

    pub(crate) fn blob(&mut self, value: &[u8]) -> &mut Self {
        self.bytes.push(2);
        self.bytes
            .extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(value);
        self
    }

    pub(crate) fn optional_blob(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            Some(value) => self.blob(value),
            None => self.null(),
        }
    }

    fn null(&mut self) -> &mut Self {
        self.bytes.push(0);
        self
    }

    pub(crate) fn finish(&self) -> Checksum {
        of(&self.bytes)
    }

    /// All columns, as they are summed.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The checksum of a document's text, without joining it.
pub(crate) fn of_document(document: &Document) -> Checksum {
    let mut hasher = TextHasher::default();
    for piece in document.pieces() {
        hasher.write(piece);
    }
    hasher.finish()
}

/// The checksum of a text that comes in pieces.
#[derive(Default)]
struct TextHasher(twox_hash::xxhash3_128::Hasher);

impl TextHasher {
    fn write(&mut self, piece: &[u8]) {
        self.0.write(piece);
    }

    fn finish(&self) -> Checksum {
        self.0.finish_128().to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_one_that_xxhsum_prints() {
        // Of nothing, as the algorithm's author publishes it.
        let hex = |sum: Checksum| sum.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(of(b"")), "99aa06d3014798d86001c324468d497f");
    }

    #[test]
    fn pieces_sum_up_to_the_whole() {
        let text: Vec<u8> = (0..5000_u32).map(|n| (n % 251) as u8).collect();
        for size in [1, 7, 240, 241, 1024, 4999] {
            let mut hasher = TextHasher::default();
            text.chunks(size).for_each(|piece| hasher.write(piece));
            assert_eq!(hasher.finish(), of(&text), "{size}");
        }
    }

    #[test]
    fn columns_do_not_run_into_each_other() {
        let sum = |a: &[u8], b: &[u8]| RowHasher::new("t", &[0; 16]).blob(a).blob(b).finish();
        assert_ne!(sum(b"ab", b"c"), sum(b"a", b"bc"));
        let none = RowHasher::new("t", &[0; 16]).optional_int(None).finish();
        assert_ne!(none, RowHasher::new("t", &[0; 16]).int(0).finish());
        assert_ne!(
            none,
            RowHasher::new("t", &[1; 16]).optional_int(None).finish()
        );
    }
}
