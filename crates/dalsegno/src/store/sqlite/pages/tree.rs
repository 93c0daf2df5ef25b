//! Pages of trees: which kind each is, its cells, and the bytes of a cell with those on overflow pages.

use super::SIZE;
use super::file::{Pages, word};

/// The kind of a page that is one of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    InnerTable,
    LeafTable,
    InnerIndex,
    LeafIndex,
}

/// A page of a tree, read.
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) cells: Vec<Cell>,
    /// The pages below it, in order.
    pub(super) children: Vec<u32>,
    /// Whether something of it could not be read.
    pub(super) is_torn: bool,
}

/// What stands in a cell: of a table the row's number too.
pub(super) struct Cell {
    pub(super) row: i64,
    pub(super) payload: Vec<u8>,
}

/// Bytes of a page that are used: none are reserved at its end.
const USABLE: usize = SIZE;

/// No payload is longer.
const MOST: u64 = 1 << 31;

impl Node {
    /// The page of that number, where it is one of a tree.
    pub(super) fn read(pages: &Pages, number: u32) -> Option<Self> {
        let page = pages.get(number)?;
        let page = &page[..];
        let start = if number == 1 { 100 } else { 0 };
        let kind = match page.get(start)? {
            0x02 => Kind::InnerIndex,
            0x05 => Kind::InnerTable,
            0x0a => Kind::LeafIndex,
            0x0d => Kind::LeafTable,
            _ => return None,
        };
        let inner = matches!(kind, Kind::InnerTable | Kind::InnerIndex);
        let count = short(page, start + 3)?;
        let pointers = start + if inner { 12 } else { 8 };
        if pointers + 2 * count > SIZE {
            return None;
        }
        let mut node = Self {
            kind,
            cells: Vec::with_capacity(count),
            children: Vec::new(),
            is_torn: false,
        };
        for nth in 0..count {
            let read = short(page, pointers + 2 * nth)
                .filter(|at| *at >= pointers + 2 * count)
                .and_then(|at| node.cell(pages, page, at));
            node.is_torn |= read.is_none();
        }
        if inner {
            node.children.push(word(page, start + 8));
        }
        let good = |child: &u32| (2..=pages.count()).contains(child);
        node.is_torn |= !node.children.iter().all(good);
        node.children.retain(good);
        Some(node)
    }

    fn cell(&mut self, pages: &Pages, page: &[u8], mut at: usize) -> Option<()> {
        if matches!(self.kind, Kind::InnerTable | Kind::InnerIndex) {
            page.get(at..at + 4)?;
            self.children.push(word(page, at));
            at += 4;
        }
        if self.kind == Kind::InnerTable {
            return varint(page, &mut at).map(|_| ());
        }
        let length = varint(page, &mut at)? as u64;
        let row = match self.kind {
            Kind::LeafTable => varint(page, &mut at)?,
            _ => 0,
        };
        let payload = payload(pages, page, at, length, self.kind == Kind::LeafTable)?;
        self.cells.push(Cell { row, payload });
        Some(())
    }
}

/// The payload of a cell, from its page and those that it runs over to.
fn payload(pages: &Pages, page: &[u8], at: usize, length: u64, of_table: bool) -> Option<Vec<u8>> {
    if length > MOST {
        return None;
    }
    let length = usize::try_from(length).ok()?;
    let most = if of_table {
        USABLE - 35
    } else {
        (USABLE - 12) * 64 / 255 - 23
    };
    let least = (USABLE - 12) * 32 / 255 - 23;
    if length <= most {
        return page.get(at..at + length).map(<[u8]>::to_vec);
    }
    let over = least + (length - least) % (USABLE - 4);
    let here = if over <= most { over } else { least };
    let rest = length - here;
    // No more than the store has.
    if rest / (USABLE - 4) > pages.count() as usize {
        return None;
    }
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(page.get(at..at + here)?);
    page.get(at + here..at + here + 4)?;
    let mut next = word(page, at + here);
    while bytes.len() < length {
        let page = pages.get(next)?;
        let take = (length - bytes.len()).min(USABLE - 4);
        bytes.extend_from_slice(page.get(4..4 + take)?);
        next = word(&page[..], 0);
    }
    Some(bytes)
}

fn short(page: &[u8], at: usize) -> Option<usize> {
    let two = page.get(at..at + 2)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(two)))
}

/// One of SQLite's numbers of 1 to 9 bytes.
pub(super) fn varint(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let mut value: u64 = 0;
    for nth in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if nth == 8 {
            return Some((value << 8 | u64::from(byte)) as i64);
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value as i64)
}
