//! Which snapshots of a session stay.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::period::{Unit, last_of_each};
use super::reason::{Decision, Reason};
use super::rules::Rules;
use crate::error::{Error, Result};
use crate::model::{Kind, SnapshotId};

/// How long safety snapshots stay whatever the rules say: an undo of a restore to a file needs them.
pub const SAFETY_STAYS: SignedDuration = SignedDuration::from_hours(24);

/// What the rules look at of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its id; ids sort as commits do.
    pub id: SnapshotId,
    /// When it was taken.
    pub created_at: Timestamp,
    /// Why it was taken.
    pub kind: Kind,
    /// Its tags.
    pub tags: Vec<String>,
    /// Somebody pinned it.
    pub pinned: bool,
    /// It only refers to the state before it in the history.
    pub unchanged: bool,
}

impl Candidate {
    /// Whether it is one of the states that `SESSION@-N` counts.
    fn counts(&self) -> bool {
        self.kind.is_history() && !self.unchanged
    }
}

/// Decides for each snapshot of one session whether it stays, in the order given.
///
/// `candidates` are all snapshots of the session in commit order, oldest first, also those that the
/// filters will leave out: which one is the newest is seen from the order. `zone` is the calendar of
/// hours, days, weeks and months. [Module](super): what is promised.
///
/// ```
/// use dalsegno::retention::{Candidate, Rules, decide};
/// use dalsegno::{Kind, SnapshotId};
/// use jiff::{Timestamp, tz::TimeZone};
///
/// let snapshot = |id: &str, taken: &str| -> Result<Candidate, Box<dyn std::error::Error>> {
///     Ok(Candidate {
///         id: id.parse()?,
///         created_at: taken.parse()?,
///         kind: Kind::Auto,
///         tags: Vec::new(),
///         pinned: false,
///         unchanged: false,
///     })
/// };
/// let candidates = [
///     snapshot("019d0000-0000-7000-8000-000000000001", "2026-11-20T14:05:00Z")?,
///     snapshot("019d0000-0000-7000-8000-000000000002", "2026-11-20T14:55:00Z")?,
///     snapshot("019d0000-0000-7000-8000-000000000003", "2026-11-20T15:05:00Z")?,
/// ];
/// let now: Timestamp = "2026-11-20T15:10:00Z".parse()?;
/// let decisions = decide(&Rules::new().keep_hourly(24), now, &TimeZone::UTC, &candidates)?;
/// let reasons: Vec<String> = decisions.iter().map(|d| d.reason.to_string()).collect();
/// assert_eq!(
///     reasons,
///     ["kept by no rule", "last of the hour 2026-11-20 14:00", "the newest state"]
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `InvalidInput` where the rules make no sense ([`Rules::check`]) or the candidates are not in
/// commit order.
pub fn decide(
    rules: &Rules,
    now: Timestamp,
    zone: &TimeZone,
    candidates: &[Candidate],
) -> Result<Vec<Decision>> {
    rules.check()?;
    if !candidates.is_sorted_by(|earlier, later| earlier.id < later.id) {
        return Err(Error::invalid(
            "the snapshots are not in the order of their commits, each once; sort them by id",
        ));
    }
    let mut sheet = Sheet::new(candidates);
    // In the order of `Reason`: the first one that applies is the one that is told.
    sheet.leave_out(rules);
    sheet.newest(rules);
    sheet.last(rules);
    sheet.periods(rules, now, zone);
    sheet.young(rules, now);
    sheet.referred();
    Ok(sheet.decisions(rules))
}

/// The candidates with what was found for each so far.
struct Sheet<'a> {
    candidates: &'a [Candidate],
    /// Reasons to stay.
    stays: Vec<Option<Reason>>,
    /// The places of those that keep rules count, oldest first.
    counted: Vec<usize>,
}

impl<'a> Sheet<'a> {
    fn new(candidates: &'a [Candidate]) -> Self {
        Self {
            candidates,
            stays: vec![None; candidates.len()],
            counted: Vec::new(),
        }
    }

    fn stay(&mut self, place: usize, reason: impl FnOnce(&Candidate) -> Reason) {
        if let (Some(stays), Some(candidate)) =
            (self.stays.get_mut(place), self.candidates.get(place))
        {
            stays.get_or_insert_with(|| reason(candidate));
        }
    }

    /// Those that the rules do not look at.
    fn leave_out(&mut self, rules: &Rules) {
        for (place, candidate) in self.candidates.iter().enumerate() {
            let outside = outside(rules, candidate);
            if outside.is_none() && candidate.kind.is_history() {
                self.counted.push(place);
            }
            if candidate.pinned {
                self.stay(place, |_| Reason::Pinned);
            } else if let Some(reason) = outside {
                self.stay(place, |_| reason);
            }
        }
    }

    fn newest(&mut self, rules: &Rules) {
        if rules.keep_nothing {
            return;
        }
        let all = self.candidates;
        let newest = all.iter().rposition(Candidate::counts);
        // Where the state was deleted before, the newest reference is all that is left of it.
        let newest = newest.or_else(|| all.iter().rposition(|c| c.kind.is_history()));
        if let Some(place) = newest {
            self.stay(place, |_| Reason::Newest);
        }
    }

    fn last(&mut self, rules: &Rules) {
        let Some(count) = rules.keep_last else { return };
        let is_state = |place: &usize| self.candidates.get(*place).is_some_and(Candidate::counts);
        let states = self.counted.iter().rev().copied().filter(is_state);
        let last: Vec<usize> = states
            .take(usize::try_from(count).unwrap_or(usize::MAX))
            .collect();
        for place in last {
            self.stay(place, |_| Reason::Last { count });
        }
    }

    fn periods(&mut self, rules: &Rules, now: Timestamp, zone: &TimeZone) {
        type Tell = fn(String) -> Reason;
        let asked: [(Option<u32>, Unit, Tell); 4] = [
            (rules.keep_hourly, Unit::Hour, |hour| Reason::LastOfHour {
                hour,
            }),
            (rules.keep_daily, Unit::Day, |day| Reason::LastOfDay { day }),
            (rules.keep_weekly, Unit::Week, |week| Reason::LastOfWeek {
                week,
            }),
            (rules.keep_monthly, Unit::Month, |month| {
                Reason::LastOfMonth { month }
            }),
        ];
        for (count, unit, tell) in asked {
            // Zero is as good as not asked: of the periods ahead it keeps nothing either.
            let Some(count) = count.filter(|count| *count > 0) else {
                continue;
            };
            let candidates = self.candidates;
            let times = self.counted.iter();
            let times =
                times.filter_map(|place| Some((*place, candidates.get(*place)?.created_at)));
            for place in last_of_each(unit, count, now, zone, times) {
                self.stay(place, |c| tell(unit.label(c.created_at, zone)));
            }
        }
    }

    /// What `older_than` keeps, and safety snapshots that are still needed.
    fn young(&mut self, rules: &Rules, now: Timestamp) {
        let before = |age| now.checked_sub(age).unwrap_or(Timestamp::MIN);
        let spares_safety = !rules.keep_nothing && !rules.kinds.contains(&Kind::Safety);
        for (place, candidate) in self.candidates.iter().enumerate() {
            if let Some(than) = rules.older_than
                && candidate.created_at >= before(than)
            {
                self.stay(place, |_| Reason::Younger { than });
            }
            if candidate.kind == Kind::Safety
                && spares_safety
                && candidate.created_at >= before(SAFETY_STAYS)
            {
                self.stay(place, |_| Reason::Safety { than: SAFETY_STAYS });
            }
        }
    }

    /// The states that references which stay refer to.
    fn referred(&mut self) {
        let mut wanted = false;
        for (place, candidate) in self.candidates.iter().enumerate().rev() {
            if candidate.counts() {
                if wanted {
                    self.stay(place, |_| Reason::Referred);
                }
                wanted = false;
            } else if candidate.kind.is_history() {
                wanted |= self.stays.get(place).is_some_and(Option::is_some);
            }
        }
    }

    fn decisions(self, rules: &Rules) -> Vec<Decision> {
        let keeps = !rules.keeps().is_empty();
        let goes = |candidate: &Candidate| match (rules.older_than, candidate.kind.is_history()) {
            (Some(than), true) if keeps => Reason::OlderUnkept { than },
            (Some(than), _) => Reason::Older { than },
            (None, false) if keeps => Reason::Uncounted {
                kind: candidate.kind,
            },
            (None, _) => Reason::Unkept,
        };
        let found = self.candidates.iter().zip(self.stays);
        found
            .map(|(candidate, stays)| {
                Decision::new(candidate.id, stays.unwrap_or_else(|| goes(candidate)))
            })
            .collect()
    }
}

/// Why the rules do not look at it, if they do not.
fn outside(rules: &Rules, candidate: &Candidate) -> Option<Reason> {
    if !rules.kinds.contains(&candidate.kind) {
        if candidate.kind == Kind::Guard {
            return Some(Reason::Guard);
        }
        if !rules.kinds.is_empty() {
            return Some(Reason::OtherKind);
        }
    }
    let missing = rules.tags.iter().find(|tag| !candidate.tags.contains(tag));
    missing.map(|tag| Reason::WithoutTag { tag: tag.clone() })
}
