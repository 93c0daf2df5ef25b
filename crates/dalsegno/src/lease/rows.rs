//! Leases as they stand in the store: reading them, and letting others in where nobody is there any more.

use crate::clock::Clock;
use crate::codec::note::{self, Lease, State, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::model::StoreId;
use crate::store::{Exchange, Flow, NoteRow, NoteScan, Row, SessionRow, Store, View, notes};

/// A lease and the row that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) lease: Lease,
    pub(crate) row: NoteRow,
}

/// The lease of a session as it stands, which may be damaged.
pub(crate) fn lease_row(view: &dyn View, session: i64) -> Result<Option<NoteRow>> {
    notes::stands(view, (note::LEASE, session, 0))
}

/// The lease of a session.
///
/// # Errors
/// `Damaged` where it cannot be read: nobody can say who may write.
pub(crate) fn lease(view: &dyn View, store: &StoreId, session: i64) -> Result<Option<Found>> {
    let row = notes::proved(view, store, (note::LEASE, session, 0))?;
    row.map(|row| {
        let lease = note::decode(&row.detail)?;
        Ok(Found { lease, row })
    })
    .transpose()
    .map_err(|error: Error| {
        error.hint("take the session over to go on with it, where no other program has it open")
    })
}

/// What a writer says of itself; nothing where it is gone.
///
/// # Errors
/// `Damaged` where it is not as it was written; `Locked` where it is, and says what this version does not understand: so
/// that nobody takes it for gone.
pub(crate) fn writer(view: &dyn View, store: &StoreId, id: i64) -> Result<Option<Writer>> {
    let row = notes::proved(view, store, (note::WRITER, 0, id))?;
    let read = row.map(|row| note::decode(&row.detail)).transpose();
    read.map_err(|error| {
        Error::locked(
            "the program that has it open is of another version of Dalsegno, so that nobody can say whether it still \
             runs; end it there, or close the session for it with `lease release`",
        )
        .with_source(error)
    })
}

/// What a writer says of itself as it stands, which may be damaged.
pub(crate) fn writer_row(view: &dyn View, id: i64) -> Result<Option<NoteRow>> {
    notes::stands(view, (note::WRITER, 0, id))
}

/// Who holds a lease, where that program is still there.
///
/// What is damaged says nothing: then it counts as gone.
pub(crate) fn holder(
    view: &dyn View,
    store: &StoreId,
    lease: &Lease,
    clock: &dyn Clock,
) -> Result<Option<Writer>> {
    if lease.state != State::Held {
        return Ok(None);
    }
    match writer(view, store, lease.writer) {
        Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
        Ok(writer) => Ok(writer.filter(|writer| writer.is_alive(clock))),
        Err(error) => Err(error),
    }
}

/// The lease of `session` makes way for `next`; false where anything changed since it was read.
pub(crate) fn replace(
    store: &dyn Store,
    session: &SessionRow,
    before: Option<&NoteRow>,
    next: &Lease,
) -> Result<bool> {
    store.exchange(&replacing(&store.info().id, session, before, next)?)
}

/// What makes the lease of `session` give way to `next`.
pub(crate) fn replacing(
    store: &StoreId,
    session: &SessionRow,
    before: Option<&NoteRow>,
    next: &Lease,
) -> Result<Exchange> {
    let key = (note::LEASE, session.id, 0);
    let row = NoteRow::new(key, note::encode(next)?, store);
    Ok(Exchange {
        // What other programs know of the session ends here: they look again, and see the lease.
        raise: vec![(session.id, session.era)],
        ..Exchange::of_notes(before.cloned().into_iter().collect(), vec![row])
    })
}

/// Ends a lease that nobody closed, so that its holder cannot come back to it; false as [`replace`].
pub(crate) fn break_off(
    store: &dyn Store,
    session: &SessionRow,
    found: &Found,
    since: i64,
) -> Result<bool> {
    let broken = Lease {
        epoch: found.lease.epoch + 1,
        state: State::Broken,
        since,
        ..found.lease
    };
    replace(store, session, Some(&found.row), &broken)
}

/// Lets a program without a lease write `session`, of which somebody has the lease; if that one is gone, the lease
/// ends here, so that it cannot come back to it. Answers the era that this ended, where it did: the next one is one more.
///
/// # Errors
/// `Locked` where the holder is there; `Damaged`.
pub(crate) fn let_in(store: &dyn Store, session: &str, clock: &dyn Clock) -> Result<Option<i64>> {
    let view = store.view()?;
    let id = &store.info().id;
    let Some(row) = crate::show::session(&*view, id, session)? else {
        return Ok(None);
    };
    let Some(found) = lease(&*view, id, row.id)?.filter(|it| it.lease.state == State::Held) else {
        return Ok(None);
    };
    if let Some(holder) = holder(&*view, id, &found.lease, clock)? {
        return Err(held(session, &holder, &found.lease));
    }
    drop(view);
    let now = clock.now().as_microsecond();
    // Where others were first, whoever asked looks again.
    let ended = break_off(store, &row, &found, now)?;
    Ok(ended.then_some(row.era))
}

/// What to say to whoever wants to write what another program has open.
pub(crate) fn held(session: &str, holder: &Writer, lease: &Lease) -> Error {
    let since = jiff::Timestamp::from_microsecond(lease.since);
    let since = since.map_or(String::new(), |since| {
        format!(" since {}", since.strftime("%FT%TZ"))
    });
    let ask = if holder.attends {
        "ask it to do this (`--ask`)"
    } else {
        "it answers no requests (`--ask`): do this there"
    };
    Error::new(
        ErrorKind::Locked,
        format!(
            "{} has the session {session} open{since}; nothing was changed: {ask}, wait until it closes it, or \
             close it for it with `lease release`",
            shown(holder)
        ),
    )
}

/// A program, for people.
pub(crate) fn shown(writer: &Writer) -> String {
    format!("{} (process {})", writer.name, writer.process.pid)
}

/// Every lease, by session, each with what is wrong with it where it cannot be read.
pub(crate) fn all(view: &dyn View, store: &StoreId) -> Result<Vec<(i64, Result<Found>)>> {
    let mut rows = Vec::new();
    let scan = NoteScan {
        kind: note::LEASE,
        ..NoteScan::default()
    };
    view.notes(&scan, &mut |row| {
        rows.push(row);
        Flow::Continue(())
    })?;
    let found = rows.into_iter().map(|row| {
        let session = row.session;
        let intact = row.is_intact(store);
        let lease = match note::decode(&row.detail) {
            Ok(lease) if intact => Ok(Found { lease, row }),
            _ => Err(Error::damaged("the lease is damaged")),
        };
        (session, lease)
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Options;
    use crate::clock::SystemClock;
    use crate::open::Holding;
    use crate::store::MemoryStore;

    #[test]
    fn a_program_of_another_version_is_not_taken_for_gone() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(&SystemClock));
        let engine = |store: &Arc<dyn Store>| Options::default().on(Arc::clone(store));
        let bot = engine(&store);
        bot.save_json("s", "1").commit().unwrap();
        bot.open_session("s").unwrap();
        let other = engine(&store);
        let id = &store.info().id;
        let scan = NoteScan {
            kind: note::WRITER,
            ..NoteScan::default()
        };
        let mut rows = Vec::new();
        let view = store.view().unwrap();
        let mut all = |row| {
            rows.push(row);
            Flow::Continue(())
        };
        view.notes(&scan, &mut all).unwrap();
        drop(view);
        let key = rows[0].key();
        // It says one thing more than this version knows.
        let detail = [&rows[0].detail[..], b"more"].concat();
        let put = vec![NoteRow::new(key, detail, id)];
        assert!(store.exchange(&Exchange::of_notes(rows, put)).unwrap());
        let refused = other.save_json("s", "2").commit().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Locked, "{refused}");
        assert!(refused.to_string().contains("another version"), "{refused}");
        assert_eq!(
            other.open_session("s").unwrap_err().kind(),
            ErrorKind::Locked
        );
        assert!(other.recover().unwrap().is_empty());
        assert_eq!(other.holders().unwrap()[0].standing, Holding::Open);
        other.take_over("s").unwrap();
        other.save_json("s", "2").commit().unwrap();
    }
}
