//! Requests as they stand in the store.

use bytes::Bytes;

use crate::clock::Clock;
use crate::codec::note::{self, Lease, PARCEL, REQUEST, Request, Stage, State, Writer};
use crate::codec::pack::{Effort, pack, unpack};
use crate::error::{Error, ErrorKind, Result};
use crate::lease;
use crate::model::StoreId;
use crate::show;
use crate::store::{Exchange, Flow, NoteRow, NoteScan, Row, Store, View, notes};

/// A request and the row that it was read from.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) request: Request,
    pub(super) row: NoteRow,
}

impl Found {
    /// The row, that far.
    pub(super) fn staged(&self, stage: Stage, store: &StoreId) -> Result<NoteRow> {
        let request = Request {
            stage,
            ..self.request.clone()
        };
        Ok(NoteRow::new(self.row.key(), note::encode(&request)?, store))
    }

    /// All of its rows.
    pub(super) fn rows(&self) -> Vec<NoteRow> {
        let mut rows = vec![self.row.clone()];
        rows.extend(self.parcel());
        rows
    }

    /// The row of its state, as far as it has to be known to be taken away.
    fn parcel(&self) -> Option<NoteRow> {
        self.request.parcel.map(|checksum| NoteRow {
            kind: PARCEL,
            session: 0,
            id: self.row.id,
            detail: Vec::new(),
            checksum,
        })
    }
}

/// The request of that number.
pub(super) fn find(view: &dyn View, store: &StoreId, id: i64) -> Result<Option<Found>> {
    let row = notes::proved(view, store, (REQUEST, 0, id))?;
    row.map(|row| {
        let request = note::decode(&row.detail)?;
        Ok(Found { request, row })
    })
    .transpose()
}

/// All of them. What is damaged is for `verify` to say.
pub(super) fn all(view: &dyn View, store: &StoreId) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let scan = NoteScan {
        kind: REQUEST,
        session: Some(0),
        ..NoteScan::default()
    };
    view.notes(&scan, &mut |row| {
        if row.is_intact(store)
            && let Ok(request) = note::decode(&row.detail)
        {
            found.push(Found { request, row });
        }
        Flow::Continue(())
    })?;
    // In the order in which they were asked.
    found.sort_by_key(|found| (found.request.asker.since, found.row.id));
    Ok(found)
}

/// The rows of a request under that number, to be put there.
pub(super) fn of(
    id: i64,
    mut request: Request,
    state: Option<&Bytes>,
    store: &StoreId,
) -> Result<(Found, Vec<NoteRow>)> {
    let mut rows = Vec::new();
    if let Some(state) = state {
        let packed = pack(state, Effort::Record)?;
        let row = NoteRow::new((PARCEL, 0, id), packed, store);
        request.parcel = Some(row.checksum);
        rows.push(row);
    }
    let row = NoteRow::new((REQUEST, 0, id), note::encode(&request)?, store);
    rows.push(row.clone());
    Ok((Found { request, row }, rows))
}

/// The state that goes with a request.
pub(super) fn state(view: &dyn View, store: &StoreId, found: &Found) -> Result<Option<Bytes>> {
    if found.request.parcel.is_none() {
        return Ok(None);
    }
    let row = notes::proved(view, store, (PARCEL, 0, found.row.id))?;
    let row = row.ok_or_else(|| Error::damaged("the state that goes with a request is missing"))?;
    unpack(&row.detail).map(Some)
}

/// Takes a request away; false where it is not as it was.
pub(super) fn remove(store: &dyn Store, found: &Found) -> Result<bool> {
    store.exchange(&Exchange::of_notes(found.rows(), Vec::new()))
}

/// Takes away what nobody waits for any more: `own` is the number of this program's note, where it has one.
///
/// # Errors
/// As the store answers; nothing is lost by it.
pub(super) fn sweep(store: &dyn Store, clock: &dyn Clock, own: Option<i64>) -> Result<()> {
    let view = store.view()?;
    let id = &store.info().id;
    let mut old = Vec::new();
    for found in all(&*view, id)? {
        if found.request.asker.is_alive(clock) {
            continue;
        }
        let finished = matches!(
            found.request.stage,
            Stage::Asked | Stage::Answered(..) | Stage::Refused(..)
        );
        let holder = lease::rows::writer(&*view, id, found.request.writer);
        let gone = match holder {
            Ok(holder) => !holder.is_some_and(|it| it.is_alive(clock)),
            Err(error) => error.kind() != ErrorKind::Locked,
        };
        if gone || finished && own == Some(found.request.writer) {
            old.push(found);
        }
    }
    drop(view);
    for found in old {
        // Whoever changed it in between knows better.
        remove(store, &found)?;
    }
    Ok(())
}

/// The live holder of a session's lease.
pub(super) fn holder(
    view: &dyn View,
    store: &StoreId,
    session: &str,
    clock: &dyn Clock,
) -> Result<Option<(Lease, Writer)>> {
    let Some(row) = show::session(view, store, session)? else {
        return Ok(None);
    };
    let Some(found) = lease::rows::lease(view, store, row.id)? else {
        return Ok(None);
    };
    let holder = lease::rows::holder(view, store, &found.lease, clock)?;
    Ok(holder.map(|holder| (found.lease, holder)))
}

/// How the program that was asked stands now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// It is there.
    pub(super) alive: bool,
    /// It attends to requests.
    pub(super) attends: bool,
    /// It has the lease under which it was asked.
    pub(super) holds: bool,
}

impl Standing {
    pub(super) fn of(
        view: &dyn View,
        store: &StoreId,
        request: &Request,
        clock: &dyn Clock,
    ) -> Result<Self> {
        let writer = match lease::rows::writer(view, store, request.writer) {
            // What is damaged says nothing: then it counts as gone.
            Err(error) if error.kind() == ErrorKind::Damaged => None,
            found => found?.filter(|writer| writer.is_alive(clock)),
        };
        let session = show::session(view, store, &request.session)?;
        let lease = match session {
            Some(row) => lease::rows::lease(view, store, row.id)?,
            None => None,
        };
        let holds = lease.is_some_and(|found| {
            let Lease {
                epoch,
                writer,
                state,
                ..
            } = found.lease;
            (epoch, writer, state) == (request.epoch, request.writer, State::Held)
        });
        Ok(Self {
            alive: writer.is_some(),
            attends: writer.is_some_and(|writer| writer.attends),
            holds,
        })
    }
}
