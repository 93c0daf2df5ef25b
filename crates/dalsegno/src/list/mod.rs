//! Listing snapshots: filters, orders, and pages that stay stable while snapshots are added.

mod cursor;

use std::collections::HashMap;

use jiff::Timestamp;

use self::cursor::{Cursor, Key};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Kind, Snapshot, SnapshotId, StoreId};
use crate::show::{self, Way, check, describe};
use crate::store::{Flow, Row, Scan, SnapshotRow, View};

/// What to list, in which order.
#[derive(Debug, Clone)]
pub struct Query {
    /// Of this session only.
    pub session: Option<String>,
    /// Taken at or after this time.
    pub since: Option<Timestamp>,
    /// Taken at or before this time.
    pub until: Option<Timestamp>,
    /// Of one of these kinds; empty means all.
    pub kinds: Vec<Kind>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// Of this name.
    pub name: Option<String>,
    /// The order.
    pub sort: Sort,
    /// Against the order's own direction.
    pub reverse: bool,
    /// At most this many in a page.
    pub limit: usize,
    /// Where the page before ended: its [`Page::next`].
    pub cursor: Option<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            session: None,
            since: None,
            until: None,
            kinds: Vec::new(),
            tags: Vec::new(),
            name: None,
            sort: Sort::Commit,
            reverse: false,
            limit: 50,
            cursor: None,
        }
    }
}

impl Query {
    /// Everything of one session, newest first.
    #[must_use]
    pub fn session(name: impl Into<String>) -> Self {
        Self {
            session: Some(name.into()),
            ..Self::default()
        }
    }
}

/// The order of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The order of commits, newest first: the only one that needs no look at every snapshot.
    #[default]
    Commit,
    /// The time they were taken, newest first.
    Created,
    /// The size of the document, largest first.
    Size,
    /// The name, A first; those without a name last.
    Name,
}

/// A page of a listing.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Page {
    /// In the order asked for.
    pub snapshots: Vec<Snapshot>,
    /// The cursor of the next page; none where this is the last.
    pub next: Option<String>,
    /// Snapshots whose rows are damaged: their ids, as far as they can be read.
    pub damaged: Vec<SnapshotId>,
}

impl Engine {
    /// A page of snapshots. Content is never read.
    ///
    /// # Errors
    /// `NotFound` where the session does not exist; `InvalidInput` where the cursor is not of such a
    /// query. Damaged rows are named in the page and do not hide the others.
    pub fn list(&self, query: &Query) -> Result<Page> {
        list(&*self.view()?, &self.store().info().id, query)
    }

    /// The names of all sessions, sorted.
    ///
    /// # Errors
    /// `Damaged` or `Storage` where the store cannot be read.
    pub fn sessions(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let store = &self.store().info().id;
        self.view()?.sessions(&mut |row| {
            if !row.is_intact(store) {
                let message =
                    "the row of a session is damaged: its name may be another; run `verify`";
                return std::ops::ControlFlow::Break(Err(Error::damaged(message)));
            }
            names.push(row.name);
            std::ops::ControlFlow::Continue(())
        })?;
        names.sort_unstable();
        Ok(names)
    }
}

fn list(view: &dyn View, store: &StoreId, query: &Query) -> Result<Page> {
    let session = match &query.session {
        Some(name) => Some(show::known_session(view, store, name)?),
        None => None,
    };
    // From a cursor on, the way is known from its first snapshot on.
    let mut way = session
        .as_ref()
        .filter(|_| query.cursor.is_none())
        .map(Way::from);
    let session = session.map(|row| row.id);
    let mut names = Names {
        view,
        known: HashMap::new(),
    };
    let mut page = Page::default();
    let newest_first = !query.reverse;
    let cursor = query
        .cursor
        .as_deref()
        .map(|text| Cursor::parse(text, query))
        .transpose()?;
    if query.sort == Sort::Commit {
        let from = cursor.map(|cursor| cursor.seq);
        let scan = Scan {
            session,
            from,
            newest_first,
        };
        let mut more = false;
        let mut last = None;
        view.snapshots(&scan, &mut |row| {
            if let Err(error) = in_order(&mut last, &row, newest_first) {
                return Flow::Break(Err(error));
            }
            if let Some(way) = way.as_mut().filter(|_| newest_first) {
                let expected = way.expected();
                if way.step(&row, store).is_err() {
                    page.damaged
                        .extend(expected.map(|seq| SnapshotId::new(seq, store)));
                }
            }
            match fits(&row, store, query) {
                Ok(false) => return Flow::Continue(()),
                Err(error) if error.kind() != ErrorKind::Damaged => return Flow::Break(Err(error)),
                Err(_) => page.damaged.push(SnapshotId::new(row.seq, store)),
                Ok(true) if page.snapshots.len() >= query.limit => {
                    more = true;
                    return Flow::Break(Ok(()));
                }
                Ok(true) => match names.describe(&row, store) {
                    Ok(snapshot) => page.snapshots.push(snapshot),
                    Err(_) => page.damaged.push(SnapshotId::new(row.seq, store)),
                },
            }
            Flow::Continue(())
        })?;
        let last = page.snapshots.last().filter(|_| more);
        page.next = last.map(|s| {
            Cursor {
                key: Key::None,
                seq: s.id.seq(),
            }
            .write(query)
        });
        return Ok(page);
    }
    let (mut found, mut before): (Vec<Cursor>, _) = (Vec::new(), None);
    // One more than the page tells that there is a next one.
    let kept = query.limit.saturating_add(1);
    let enough = kept.saturating_mul(4).max(1024);
    let scan = Scan {
        session,
        from: None,
        newest_first: true,
    };
    view.snapshots(&scan, &mut |row| {
        if let Err(error) = in_order(&mut before, &row, true) {
            return Flow::Break(Err(error));
        }
        match fits(&row, store, query) {
            Ok(true) => {
                let place = Cursor::of(&row, query.sort);
                if cursor.as_ref().is_none_or(|c| place.after(c, query)) {
                    found.push(place);
                    // What is far behind the page need not be remembered.
                    if found.len() >= enough {
                        first(&mut found, kept, query);
                    }
                }
            }
            Ok(false) => {}
            Err(_) => page.damaged.push(SnapshotId::new(row.seq, store)),
        }
        Flow::Continue(())
    })?;
    first(&mut found, kept, query);
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    page.next = found
        .last()
        .filter(|_| more)
        .map(|cursor| cursor.write(query));
    for cursor in found {
        if let Some(row) = view.snapshot(cursor.seq)? {
            match names.describe(&row, store) {
                Ok(snapshot) => page.snapshots.push(snapshot),
                Err(_) => page.damaged.push(SnapshotId::new(row.seq, store)),
            }
        }
    }
    Ok(page)
}

/// Keeps the first `kept`, in order.
fn first(found: &mut Vec<Cursor>, kept: usize, query: &Query) {
    found.sort_unstable_by(|a, b| a.order(b, query));
    found.truncate(kept);
}

/// Refuses rows that come twice or out of order: the table's pages are damaged.
fn in_order(last: &mut Option<i64>, row: &SnapshotRow, newest_first: bool) -> Result<()> {
    match last.replace(row.seq) {
        Some(before) if (before > row.seq) != newest_first || before == row.seq => Err(
            Error::damaged("the table of snapshots is damaged; run `verify`"),
        ),
        _ => Ok(()),
    }
}

fn fits(row: &SnapshotRow, store: &StoreId, query: &Query) -> Result<bool> {
    check(row, store)?;
    let time = row.created_at;
    let kind = Kind::from_code(row.kind);
    if query
        .since
        .is_some_and(|since| time < since.as_microsecond())
        || query
            .until
            .is_some_and(|until| time > until.as_microsecond())
        || (!query.kinds.is_empty() && !kind.is_some_and(|kind| query.kinds.contains(&kind)))
        || query
            .name
            .as_ref()
            .is_some_and(|name| row.name.as_ref() != Some(name))
    {
        return Ok(false);
    }
    if query.tags.is_empty() {
        return Ok(true);
    }
    let detail = crate::codec::detail::decode(&row.detail)?;
    Ok(query.tags.iter().all(|tag| detail.tags.contains(tag)))
}

struct Names<'a> {
    view: &'a dyn View,
    known: HashMap<i64, String>,
}

impl Names<'_> {
    fn describe(&mut self, row: &SnapshotRow, store: &StoreId) -> Result<Snapshot> {
        let name = match self.known.entry(row.session) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(vacant) => {
                let name = show::session_name(self.view, store, row.session)?;
                vacant.insert(name)
            }
        };
        describe(row, name, store)
    }
}
