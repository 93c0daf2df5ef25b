//! Places in a listing's order, and how they are written down for the next page.

use super::{Query, Sort};
use crate::error::{Error, Result};
use crate::store::SnapshotRow;

/// A place in an order: the key, and the sequence number where keys are equal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) key: Key,
    pub(super) seq: i64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Number(i64),
    Text(String),
    None,
}

impl Cursor {
    pub(super) fn of(row: &SnapshotRow, sort: Sort) -> Self {
        let key = match sort {
            Sort::Commit => Key::None,
            Sort::Created => Key::Number(row.created_at.saturating_neg()),
            Sort::Size => Key::Number(row.size.saturating_neg()),
            Sort::Name => row.name.clone().map_or(Key::None, Key::Text),
        };
        Self { key, seq: row.seq }
    }

    pub(super) fn order(&self, other: &Self, query: &Query) -> std::cmp::Ordering {
        let order = self.key.cmp(&other.key).then(other.seq.cmp(&self.seq));
        if query.reverse {
            order.reverse()
        } else {
            order
        }
    }

    pub(super) fn after(&self, other: &Self, query: &Query) -> bool {
        self.order(other, query).is_gt()
    }

    /// The order's letter, the place, and the key: a cursor fits only the order it came from.
    pub(super) fn write(&self, query: &Query) -> String {
        let order = letter(query);
        match &self.key {
            Key::None => format!("{order}{:x}", self.seq),
            Key::Number(n) => format!("{order}{:x}.{n}", self.seq),
            Key::Text(text) => format!("{order}{:x}:{text}", self.seq),
        }
    }

    pub(super) fn parse(text: &str, query: &Query) -> Result<Self> {
        let odd = || {
            Error::invalid(format!(
                "'{text}' is no cursor of this listing: take `next` of the page before, \
                 with the same --sort and --reverse"
            ))
        };
        let rest = text.strip_prefix(letter(query)).ok_or_else(odd)?;
        let end = rest.find(['.', ':']).unwrap_or(rest.len());
        let (seq, key) = rest.split_at(end);
        let seq = i64::from_str_radix(seq, 16).map_err(|_| odd())?;
        let key = match key.split_at_checked(1) {
            Some((".", number)) => Key::Number(number.parse().map_err(|_| odd())?),
            Some((_, text)) => Key::Text(text.to_owned()),
            None => Key::None,
        };
        Ok(Self { key, seq })
    }
}

fn letter(query: &Query) -> char {
    let letter = match query.sort {
        Sort::Commit => 'o',
        Sort::Created => 't',
        Sort::Size => 's',
        Sort::Name => 'n',
    };
    if query.reverse {
        letter.to_ascii_uppercase()
    } else {
        letter
    }
}
