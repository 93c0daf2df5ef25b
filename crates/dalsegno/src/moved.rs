//! How often a session's records were gathered in other rows.
//!
//! A record is looked for in the first block that ends after it, so no block may come to lie over records
//! that another block holds. Who makes blocks looks at the rows that are there; another who does so at the same
//! time may take none of the same rows. So each counts on from what it saw, and the later finds that
//! somebody was there.

use crate::codec::note;
use crate::error::Result;
use crate::model::StoreId;
use crate::store::{Exchange, NoteRow, Row, View, notes};

/// What a session's counter stood at when its rows were read.
#[derive(Debug)]
pub(crate) struct Moved {
    session: i64,
    count: i64,
    row: Option<NoteRow>,
}

impl Moved {
    /// As it stands. One that is damaged begins anew: that it was replaced is all that counts.
    pub(crate) fn read(view: &dyn View, store: &StoreId, session: i64) -> Result<Self> {
        let row = notes::stands(view, (note::MOVED, session, 0))?;
        let intact = row.as_ref().filter(|row| row.is_intact(store));
        let count = intact.and_then(|row| note::decode(&row.detail).ok());
        Ok(Self {
            session,
            count: count.unwrap_or(0),
            row,
        })
    }

    /// Makes `exchange` fail where anybody made blocks since; the next is counted from this one on.
    pub(crate) fn count(&mut self, exchange: &mut Exchange, store: &StoreId) -> Result<()> {
        self.count = self.count.wrapping_add(1);
        let key = (note::MOVED, self.session, 0);
        let next = NoteRow::new(key, note::encode(&self.count)?, store);
        exchange.take.notes.extend(self.row.replace(next.clone()));
        exchange.put.notes.push(next);
        Ok(())
    }
}
