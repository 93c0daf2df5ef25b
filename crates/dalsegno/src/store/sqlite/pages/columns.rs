//! The columns of a row, as SQLite keeps them in a cell.

use super::tree::varint;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Null,
    Int(i64),
    Blob(Vec<u8>),
    Text(String),
}

/// The columns of a payload; nothing where it is none of ours.
pub(super) fn columns(payload: &[u8]) -> Option<Vec<Column>> {
    let mut at = 0;
    let header = usize::try_from(varint(payload, &mut at)?).ok()?;
    if header > payload.len() {
        return None;
    }
    let mut kinds = Vec::new();
    while at < header {
        kinds.push(varint(payload, &mut at)?);
        if kinds.len() > 32 {
            return None;
        }
    }
    if at != header {
        return None;
    }
    let mut columns = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let bytes = payload.get(at..at.checked_add(length)?)?;
        at += length;
        columns.push(match kind {
            0 => Column::Null,
            8 => Column::Int(0),
            9 => Column::Int(1),
            1..=6 => Column::Int(int(bytes)),
            even if even % 2 == 0 => Column::Blob(bytes.to_vec()),
            _ => Column::Text(String::from_utf8(bytes.to_vec()).ok()?),
        });
    }
    (at == payload.len()).then_some(columns)
}

/// A signed number, the most significant byte first.
fn int(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut value: i64 = if negative { -1 } else { 0 };
    for byte in bytes {
        value = value << 8 | i64::from(*byte);
    }
    value
}
