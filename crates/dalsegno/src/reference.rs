//! Finding the snapshot that a person means.
//!
//! In this order: an exact id; a name; `SESSION@…` split at the last `@`; the beginning of an id.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::codec::detail;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{SnapshotId, StoreId};
use crate::show::{self, Way, check};
use crate::store::{Flow, Row, Scan, SessionRow, SnapshotRow, TrashRow, View};

/// A beginning of an id must have this many digits, or words like `bad` would be ids.
const MIN_PREFIX: usize = 4;

/// How many candidates an ambiguity names.
const CANDIDATES: usize = 10;

/// The snapshot that `reference` means.
///
/// # Errors
/// `NotFound` where there is none, `Ambiguous` where there are several: the message names them.
pub(crate) fn resolve(view: &dyn View, store: &StoreId, reference: &str) -> Result<SnapshotRow> {
    if let Ok(id) = reference.parse::<SnapshotId>() {
        let row = view
            .snapshot(id.seq())?
            .filter(|row| SnapshotId::new(row.seq, store) == id);
        return checked(row.ok_or_else(|| nothing(reference))?, store);
    }
    let named = named(view, store, None, reference)?;
    if !named.is_empty() {
        return only(reference, named, store, view);
    }
    if let Some((session, at)) = reference.rsplit_once('@') {
        if let Some(session) = show::session(view, store, session)? {
            return in_session(view, store, &session, at)
                .map_err(|e| e.context(format!("'{reference}'")));
        }
        if SnapshotId::seqs_of_prefix(reference).is_none() {
            return Err(Error::not_found(format!(
                "there is no session '{session}', which '{reference}' asks for; \
                 `snapshot list` shows what there is"
            )));
        }
    }
    let prefixed = prefixed(view, store, reference)?;
    if prefixed.is_empty() {
        refuse_lost_name(view, None, reference)?;
        let hint = match view.session(reference)? {
            Some(_) => format!(" (it is a session: its newest snapshot is '{reference}@latest')"),
            None => String::new(),
        };
        return Err(Error::not_found(format!(
            "no snapshot answers to '{reference}'{hint}"
        )));
    }
    only(reference, prefixed, store, view)
}

fn nothing(reference: &str) -> Error {
    Error::not_found(format!("no snapshot answers to '{reference}'"))
}

fn checked(row: SnapshotRow, store: &StoreId) -> Result<SnapshotRow> {
    check(&row, store)?;
    Ok(row)
}

fn only(
    reference: &str,
    mut rows: Vec<SnapshotRow>,
    store: &StoreId,
    view: &dyn View,
) -> Result<SnapshotRow> {
    match (rows.pop(), rows.as_slice()) {
        (Some(row), []) => checked(row, store),
        (last, _) => {
            rows.extend(last);
            let mut lines = vec![format!(
                "'{reference}' may be any of {} snapshots:",
                how_many(rows.len())
            )];
            for row in rows.iter().take(CANDIDATES) {
                let session = show::session_name(view, store, row.session)?;
                let name = row
                    .name
                    .as_ref()
                    .map(|n| format!(" '{n}'"))
                    .unwrap_or_default();
                lines.push(format!(
                    "  {} {session}{name}",
                    SnapshotId::new(row.seq, store)
                ));
            }
            if rows.len() > CANDIDATES {
                lines.push("  …".to_owned());
            }
            lines.push("give a whole id, or SESSION@NAME".to_owned());
            Err(Error::new(ErrorKind::Ambiguous, lines.join("\n")))
        }
    }
}

/// More are not counted.
fn how_many(found: usize) -> String {
    if found > CANDIDATES {
        format!("more than {CANDIDATES}")
    } else {
        found.to_string()
    }
}

fn named(
    view: &dyn View,
    store: &StoreId,
    session: Option<i64>,
    name: &str,
) -> Result<Vec<SnapshotRow>> {
    let mut found = Vec::new();
    for seq in view.named(name)? {
        let row = view
            .snapshot(seq)?
            .filter(|row| row.name.as_deref() == Some(name));
        let row = row.ok_or_else(lost_index)?;
        check(&row, store)?;
        if session.is_none_or(|id| id == row.session) {
            found.push(row);
        }
    }
    Ok(found)
}

fn prefixed(view: &dyn View, store: &StoreId, prefix: &str) -> Result<Vec<SnapshotRow>> {
    let digits = prefix.chars().filter(|c| *c != '-').count();
    let Some((first, last)) = SnapshotId::seqs_of_prefix(prefix).filter(|_| digits >= MIN_PREFIX)
    else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let scan = Scan {
        from: Some(first - 1),
        ..Scan::default()
    };
    view.snapshots(&scan, &mut |row| {
        if row.seq > last || found.len() > CANDIDATES {
            return Flow::Break(Ok(()));
        }
        if SnapshotId::new(row.seq, store).begins_with(prefix) {
            found.push(row);
        }
        Flow::Continue(())
    })?;
    Ok(found)
}

/// What stands behind the last `@`.
fn in_session(
    view: &dyn View,
    store: &StoreId,
    session: &SessionRow,
    at: &str,
) -> Result<SnapshotRow> {
    let newest = |wanted: &mut dyn FnMut(&SnapshotRow) -> Result<bool>| {
        let scan = Scan {
            session: Some(session.id),
            from: None,
            newest_first: true,
        };
        let mut found = None;
        let mut way = Way::from(session);
        view.snapshots(&scan, &mut |row| {
            let fits = check(&row, store)
                .and_then(|()| way.step(&row, store))
                .and_then(|()| Ok(row.counts() && wanted(&row)?));
            match fits {
                Ok(false) => Flow::Continue(()),
                Ok(true) => {
                    found = Some(row);
                    Flow::Break(Ok(()))
                }
                Err(error) => Flow::Break(Err(error)),
            }
        })?;
        Ok::<_, Error>(found)
    };
    if at == "latest" {
        return newest(&mut |_| Ok(true))?.ok_or_else(|| {
            Error::not_found(
                "the session has no state; `snapshot list --deleted` shows what is in the trash",
            )
        });
    }
    if let Some(back) = at.strip_prefix('-').and_then(|n| n.parse::<u64>().ok()) {
        let mut passed = 0;
        let row = newest(&mut |_| {
            passed += 1;
            Ok(passed > back)
        })?;
        return row.ok_or_else(|| {
            let states = if passed == 1 { "state" } else { "states" };
            Error::not_found(format!(
                "the session has only {passed} {states}, so none is {back} back"
            ))
        });
    }
    if let Some(turn) = at.strip_prefix("turn:") {
        let turn: i64 = turn
            .parse()
            .map_err(|_| Error::invalid(format!("'{turn}' is not the number of a turn")))?;
        let row = newest(&mut |row| Ok(detail::decode(&row.detail)?.turn == Some(turn)))?;
        return row.ok_or_else(|| Error::not_found(format!("no snapshot is of turn {turn}")));
    }
    if let Ok(time) = parse_time(at) {
        let row = newest(&mut |row| Ok(row.created_at <= time.as_microsecond()))?;
        return row.ok_or_else(|| Error::not_found(format!("no snapshot is as old as {time}")));
    }
    let named = named(view, store, Some(session.id), at)?;
    if named.is_empty() {
        refuse_lost_name(view, Some(session.id), at)?;
    }
    named.into_iter().next().ok_or_else(|| {
        Error::not_found(format!(
            "'{at}' is no name in the session, nor `latest`, `-N`, `turn:N` or a time"
        ))
    })
}

/// Looks through the rows for a name that the index does not have: whoever is told that there is none
/// may give it to another.
fn refuse_lost_name(view: &dyn View, session: Option<i64>, name: &str) -> Result<()> {
    let mut lost = false;
    let scan = Scan {
        session,
        ..Scan::default()
    };
    view.snapshots(&scan, &mut |row| {
        lost = row.name.as_deref() == Some(name);
        if lost {
            Flow::Break(Ok(()))
        } else {
            Flow::Continue(())
        }
    })?;
    if lost {
        return Err(lost_index());
    }
    Ok(())
}

fn lost_index() -> Error {
    Error::damaged("the index of names is damaged; run `verify`")
}

/// The row of the trash that `reference` means.
pub(crate) fn in_trash(view: &dyn View, store: &StoreId, reference: &str) -> Result<TrashRow> {
    let (session, name) = match reference.rsplit_once('@') {
        // Of no session that is there, it is nothing.
        Some((session, name)) => match view.session(session)? {
            Some(row) => (Some(row.id), name),
            None => (None, reference),
        },
        None => (None, reference),
    };
    let digits = reference.chars().filter(|c| *c != '-').count();
    let is_prefix = digits >= MIN_PREFIX && SnapshotId::seqs_of_prefix(reference).is_some();
    if let Ok(id) = reference.parse::<SnapshotId>() {
        let row = view.trashed(id.seq())?;
        let row = row.filter(|row| SnapshotId::new(row.snapshot.seq, store) == id);
        if let Some(row) = row.filter(|row| row.is_intact(store)) {
            return Ok(row);
        }
    }
    let mut exact = Vec::new();
    let mut begun = Vec::new();
    view.trash(&mut |row| {
        let id = SnapshotId::new(row.snapshot.seq, store);
        let named = row.snapshot.name.as_deref() == Some(name)
            && session.is_none_or(|session| session == row.snapshot.session);
        if named || id.to_string() == reference {
            exact.push(row);
        } else if is_prefix && id.begins_with(reference) {
            begun.push(row);
        }
        Flow::Continue(())
    })?;
    let found = if exact.is_empty() { begun } else { exact };
    match <[TrashRow; 1]>::try_from(found) {
        Ok([row]) if row.is_intact(store) => Ok(row),
        Ok([row]) => Err(Error::damaged(format!(
            "the row of snapshot {} in the trash is damaged: its checksum differs",
            SnapshotId::new(row.snapshot.seq, store)
        ))),
        Err(rows) if rows.is_empty() => Err(Error::not_found(format!(
            "nothing in the trash answers to '{reference}'; `snapshot list --deleted` shows what \
             there is"
        ))),
        Err(rows) => {
            let ids = rows.iter().take(CANDIDATES).map(|row| {
                let id = SnapshotId::new(row.snapshot.seq, store);
                format!("\n  {id}")
            });
            let ids: String = ids.collect();
            Err(Error::new(
                ErrorKind::Ambiguous,
                format!(
                    "'{reference}' may be any of {} snapshots in the trash:{ids}",
                    rows.len()
                ),
            ))
        }
    }
}

/// What to say of a reference that leads nowhere, where the trash has it.
pub(crate) fn hint(view: &dyn View, store: &StoreId, reference: &str, error: Error) -> Error {
    match in_trash(view, store, reference) {
        Ok(row) => {
            let id = SnapshotId::new(row.snapshot.seq, store);
            Error::not_found(format!(
                "snapshot {id} is in the trash; take it out first with `snapshot undelete {id}`"
            ))
        }
        Err(_) => error,
    }
}

/// A time as people write it: `2026-11-20`, `2026-11-20T10:00`, with or without seconds, local
/// unless it ends with `Z` or an offset. A date alone is its first moment.
///
/// # Errors
/// `InvalidInput` where it is no time.
pub fn parse_time(text: &str) -> Result<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let local = text.parse::<DateTime>().or_else(|_| {
        text.parse::<jiff::civil::Date>()
            .map(|date| date.at(0, 0, 0, 0))
    });
    let zoned = local.and_then(|local| local.to_zoned(TimeZone::system()));
    zoned.map(|zoned| zoned.timestamp()).map_err(|e| {
        let message = format!("'{text}' is not a time; write it like 2026-11-20T10:00");
        Error::invalid(message).with_source(e)
    })
}
