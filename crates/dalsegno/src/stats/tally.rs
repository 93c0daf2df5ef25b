//! Counting rows, in the order of commits.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Day, Intervals, SessionStats, Stats, ratio};
use crate::codec::detail;
use crate::damage::{Damage, report};
use crate::error::{Error, Result};
use crate::model::{Kind, SnapshotId, StoreId};
use crate::show::check;
use crate::store::{Row, SessionRow, SnapshotRow, UNCHANGED};

/// The figures so far.
pub(super) struct Tally<'a> {
    store: &'a StoreId,
    zone: TimeZone,
    sessions: HashMap<i64, Session<'a>>,
    /// The rows that were not as they were written.
    damaged: HashSet<i64>,
    /// The row before, whoever's it was.
    before: Option<i64>,
    named: u64,
    repaired: u64,
    kinds: BTreeMap<Kind, u64>,
    hours: [u64; 24],
    days: BTreeMap<Date, Sizes>,
    oldest: Option<(i64, i64)>,
    newest: Option<(i64, i64)>,
}

/// Counts and sizes of some snapshots.
#[derive(Default, Clone, Copy)]
struct Sizes {
    snapshots: u64,
    unchanged: u64,
    text: u64,
    stored: u64,
}

struct Session<'a> {
    row: &'a SessionRow,
    sizes: Sizes,
    /// When those of its history were taken.
    times: Vec<i64>,
    oldest: Option<i64>,
    newest: Option<i64>,
    /// Its last snapshot so far.
    last: Option<i64>,
}

/// What a row says, its values within their ranges.
struct Read {
    kind: Kind,
    taken: Timestamp,
    is_repaired: bool,
    sizes: Sizes,
}

impl Sizes {
    fn add(&mut self, more: Self) {
        self.snapshots += more.snapshots;
        self.unchanged += more.unchanged;
        self.text = self.text.saturating_add(more.text);
        self.stored = self.stored.saturating_add(more.stored);
    }
}

impl<'a> Tally<'a> {
    pub(super) fn new(sessions: &'a [SessionRow], store: &'a StoreId, zone: TimeZone) -> Self {
        let session = |row: &'a SessionRow| Session {
            row,
            sizes: Sizes::default(),
            times: Vec::new(),
            oldest: None,
            newest: None,
            last: None,
        };
        Self {
            store,
            zone,
            sessions: sessions.iter().map(|row| (row.id, session(row))).collect(),
            damaged: HashSet::new(),
            before: None,
            named: 0,
            repaired: 0,
            kinds: BTreeMap::new(),
            hours: [0; 24],
            days: BTreeMap::new(),
            oldest: None,
            newest: None,
        }
    }

    /// Counts a snapshot, or reports why it is not counted.
    pub(super) fn take(&mut self, row: &SnapshotRow, damage: &mut Vec<Damage>) {
        let id = SnapshotId::new(row.seq, self.store);
        if self.before.is_some_and(|before| before >= row.seq) {
            let message = "the table of snapshots is damaged: a row comes twice or out of order";
            return report(damage, None, Vec::new(), message.to_owned());
        }
        self.before = Some(row.seq);
        let read = match read(row, self.store) {
            Ok(read) => read,
            Err(error) => {
                self.damaged.insert(row.seq);
                // Whose it is cannot be known for sure, so no session is named.
                return report(damage, None, vec![id], error.to_string());
            }
        };
        let Some(session) = self.sessions.get_mut(&row.session) else {
            let message = "snapshots of a session that does not exist".to_owned();
            return report(damage, None, vec![id], message);
        };
        if let Some(parent) = row.parent.filter(|parent| session.last != Some(*parent))
            && !self.damaged.contains(&parent)
        {
            let lost = vec![SnapshotId::new(parent, self.store)];
            report(damage, Some(&session.row.name), lost, missing());
        }
        session.last = Some(row.seq);
        session.sizes.add(read.sizes);
        session.oldest = session
            .oldest
            .min(Some(row.created_at))
            .or(Some(row.created_at));
        session.newest = session.newest.max(Some(row.created_at));
        if read.kind.is_history() {
            session.times.push(row.created_at);
        }
        self.named += u64::from(row.name.is_some());
        self.repaired += u64::from(read.is_repaired);
        *self.kinds.entry(read.kind).or_default() += 1;
        let local = self.zone.to_datetime(read.taken);
        if let Some(hour) = usize::try_from(local.hour())
            .ok()
            .and_then(|hour| self.hours.get_mut(hour))
        {
            *hour += 1;
        }
        self.days.entry(local.date()).or_default().add(read.sizes);
        let place = (row.created_at, row.seq);
        self.oldest = Some(self.oldest.map_or(place, |oldest| oldest.min(place)));
        self.newest = self.newest.max(Some(place));
    }

    /// Reports sessions whose newest snapshot did not come.
    pub(super) fn look_for_heads(&self, damage: &mut Vec<Damage>) {
        let mut lost: Vec<_> = self.sessions.values().collect();
        lost.retain(|session| {
            let head = session.row.head;
            session.row.is_intact(self.store)
                // Where all is in the trash, none is to come.
                && session.last.unwrap_or(0) != head
                && !self.damaged.contains(&head)
        });
        lost.sort_unstable_by_key(|session| session.row.id);
        for session in lost {
            let head = SnapshotId::new(session.row.head, self.store);
            report(damage, Some(&session.row.name), vec![head], missing());
        }
    }

    pub(super) fn oldest(&self) -> Option<i64> {
        self.oldest.map(|(_, seq)| seq)
    }

    pub(super) fn newest(&self) -> Option<i64> {
        self.newest.map(|(_, seq)| seq)
    }

    pub(super) fn finish(&mut self) -> Stats {
        let mut all = Sizes::default();
        let mut intervals = Vec::new();
        let mut by_session = Vec::with_capacity(self.sessions.len());
        for session in self.sessions.values_mut() {
            all.add(session.sizes);
            let mut own = gaps(std::mem::take(&mut session.times));
            by_session.push(session.finish(&mut own));
            intervals.append(&mut own);
        }
        by_session.sort_unstable_by(|a, b| {
            let size = |s: &SessionStats| std::cmp::Reverse((s.stored_bytes, s.snapshots));
            size(a)
                .cmp(&size(b))
                .then_with(|| a.session.cmp(&b.session))
        });
        let days = std::mem::take(&mut self.days).into_iter();
        Stats {
            session: None,
            file_bytes: None,
            sessions: by_session.len() as u64,
            snapshots: all.snapshots,
            unchanged: all.unchanged,
            named: self.named,
            repaired: self.repaired,
            kinds: std::mem::take(&mut self.kinds),
            text_bytes: all.text,
            stored_bytes: all.stored,
            ratio: ratio(all.text, all.stored),
            trash: 0,
            oldest: None,
            newest: None,
            intervals: summary(&mut intervals),
            zone: self.zone.iana_name().map(str::to_owned),
            hours: self.hours,
            days: days
                .map(|(date, sizes)| Day {
                    date,
                    snapshots: sizes.snapshots,
                    text_bytes: sizes.text,
                    stored_bytes: sizes.stored,
                })
                .collect(),
            by_session,
            components: None,
            damage: Vec::new(),
        }
    }
}

impl Session<'_> {
    fn finish(&self, intervals: &mut [i64]) -> SessionStats {
        let sizes = self.sizes;
        let time = |time: Option<i64>| time.and_then(|t| Timestamp::from_microsecond(t).ok());
        SessionStats {
            session: self.row.name.clone(),
            snapshots: sizes.snapshots,
            unchanged: sizes.unchanged,
            text_bytes: sizes.text,
            stored_bytes: sizes.stored,
            ratio: ratio(sizes.text, sizes.stored),
            oldest: time(self.oldest),
            newest: time(self.newest),
            intervals: summary(intervals),
        }
    }
}

fn missing() -> String {
    "snapshots whose rows are missing; there may be more before them".to_owned()
}

fn read(row: &SnapshotRow, store: &StoreId) -> Result<Read> {
    check(row, store)?;
    let odd = |what: &str| Error::damaged(format!("a snapshot's {what} is out of range"));
    Ok(Read {
        kind: Kind::from_code(row.kind).ok_or_else(|| odd("kind"))?,
        taken: Timestamp::from_microsecond(row.created_at).map_err(|_| odd("time"))?,
        is_repaired: detail::decode(&row.detail)?.repaired.is_some(),
        sizes: Sizes {
            snapshots: 1,
            unchanged: u64::from(row.flags & UNCHANGED != 0),
            text: u64::try_from(row.size).map_err(|_| odd("size"))?,
            stored: u64::try_from(row.stored).map_err(|_| odd("stored size"))?,
        },
    })
}

/// The times between one and the next: imports may have been committed in another order.
fn gaps(mut times: Vec<i64>) -> Vec<i64> {
    times.sort_unstable();
    let later = times.iter().skip(1);
    later.zip(&times).map(|(b, a)| b - a).collect()
}

fn summary(gaps: &mut [i64]) -> Option<Intervals> {
    let count = gaps.len() as u64;
    let shortest = *gaps.iter().min()?;
    let longest = *gaps.iter().max()?;
    let middle = gaps.len() / 2;
    let (_, median, _) = gaps.select_nth_unstable(middle);
    let seconds = |micros: i64| micros as f64 / 1e6;
    Some(Intervals {
        count,
        median: seconds(*median),
        shortest: seconds(shortest),
        longest: seconds(longest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_between_neighbours_in_time() {
        let mut found = gaps(vec![5_000_000, 1_000_000, 2_000_000, 12_000_000]);
        assert_eq!(found, [1_000_000, 3_000_000, 7_000_000]);
        let summary = summary(&mut found).unwrap();
        let figures = [summary.median, summary.shortest, summary.longest];
        assert_eq!((summary.count, figures), (3, [3.0, 1.0, 7.0]));
        assert_eq!(super::summary(&mut gaps(vec![7])), None);
        assert_eq!(super::summary(&mut gaps(Vec::new())), None);
    }
}
