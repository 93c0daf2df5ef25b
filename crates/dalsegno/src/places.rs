//! Where the changes of a record stand in the state, so that two neighbours can be compared without
//! rebuilding either.
//!
//! It is found for the changes that programs make most: values of members that change, and items that
//! come, go or change in one stretch of a list. Others have no places and are compared in full.

use std::collections::HashSet;
use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::document::outline::{self, Gaps, Seat, is_separator, seats};
use crate::patch::Run;

/// Records with more runs, or more changed items, than this have no places.
const MANY: usize = 256;
/// Of a member's value the record keeps what it was, if that is no longer than this: where the parent
/// is a base, finding it would mean unpacking the whole state.
const SHORT: usize = 64;
/// The longest text that an item can have and still be several tiny elements.
const GROUP: usize = 64;

/// Where a change stands, and how many items of the parent and of the state it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The members on the way.
    pub(crate) names: Vec<String>,
    pub(crate) what: What,
}

/// What changed there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    /// The value there is one item in both; this is what it was, if that is short.
    Value(#[serde(with = "serde_bytes")] Option<Vec<u8>>),
    /// There is a list: `old` items of the parent, the first at `index`, made way for `new` ones.
    Items { index: u32, old: u32, new: u32 },
}

/// Items of the parent that made way for items of the state; either may be none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    old: Range<usize>,
    new: Range<usize>,
}

/// The places of what `runs` change, in order; none where they cannot be told.
pub(crate) fn between(runs: &[Run], earlier: &Document, document: &Document) -> Vec<Place> {
    find(runs, earlier, document).unwrap_or_default()
}

fn find(runs: &[Run], earlier: &Document, document: &Document) -> Option<Vec<Place>> {
    let stretches = stretches(runs, earlier.items.len())?;
    let mut search = Search {
        earlier,
        document,
        was: Gaps::of(earlier)?,
        is: Gaps::of(document)?,
        wanted: Vec::new(),
        seats: Vec::new(),
        lists: HashSet::new(),
        places: Vec::new(),
    };
    search.same_around(&stretches)?;
    search.sit(&stretches)?;
    for stretch in stretches {
        search.stretch(stretch)?;
    }
    Some(search.places)
}

/// What lies between the copies, where they are all in order.
fn stretches(runs: &[Run], earlier: usize) -> Option<Vec<Stretch>> {
    if runs.len() > MANY {
        return None;
    }
    let (mut old, mut new, mut changed) = (0_usize, 0_usize, 0_usize);
    let mut stretches = Vec::with_capacity(runs.len() + 1);
    let mut open = true;
    for run in runs {
        let skip = if run.copy == 0 {
            open = false;
            earlier.checked_sub(old)?
        } else {
            usize::try_from(run.skip).ok()?
        };
        let stretch = Stretch {
            old: old..old + skip,
            new: new..new + run.new as usize,
        };
        changed += stretch.old.len() + stretch.new.len();
        old = stretch.old.end + run.copy as usize;
        new = stretch.new.end + run.copy as usize;
        stretches.push(stretch);
    }
    if open {
        changed += earlier.checked_sub(old)?;
        stretches.push(Stretch {
            old: old..earlier,
            new: new..new,
        });
    }
    (changed <= MANY).then_some(stretches)
}

struct Search<'a> {
    earlier: &'a Document,
    document: &'a Document,
    was: Gaps<'a>,
    is: Gaps<'a>,
    wanted: Vec<usize>,
    seats: Vec<Option<Seat<'a>>>,
    /// The lists that have a place already.
    lists: HashSet<usize>,
    places: Vec<Place>,
}

impl<'a> Search<'a> {
    /// Whether the gaps inside what was copied are the same.
    fn same_around(&self, stretches: &[Stretch]) -> Option<()> {
        let pairs = stretches.iter().zip(stretches.get(1..).unwrap_or_default());
        for (before, after) in pairs {
            let (old, new) = (before.old.end + 1, before.new.end + 1);
            let count = after.old.start.checked_sub(old)?;
            let same = self.was.agree(old, &self.is, new, count);
            (same && after.new.start.checked_sub(new) == Some(count)).then_some(())?;
        }
        Some(())
    }

    /// Finds where the new items, and those beside them, stand.
    fn sit(&mut self, stretches: &[Stretch]) -> Option<()> {
        let changed = stretches
            .iter()
            .filter(|s| !s.old.is_empty() || !s.new.is_empty());
        let near = changed.flat_map(|s| s.new.start.saturating_sub(1)..s.new.end + 1);
        self.wanted = near.filter(|at| *at < self.document.items.len()).collect();
        self.wanted.dedup();
        self.seats = seats(self.document, &self.wanted)?;
        Some(())
    }

    fn seat(&self, at: usize) -> Option<&Seat<'a>> {
        let place = self.wanted.binary_search(&at).ok()?;
        self.seats.get(place)?.as_ref()
    }

    fn same_gap(&self, old: usize, new: usize) -> bool {
        self.was.at(old) == self.is.at(new)
    }

    fn stretch(&mut self, stretch: Stretch) -> Option<()> {
        let Stretch { mut old, mut new } = stretch;
        // Members' values at either end, then what is left is in a list.
        while !old.is_empty() && !new.is_empty() && self.is_value(old.start, new.start) {
            self.value(old.start, new.start)?;
            (old.start, new.start) = (old.start + 1, new.start + 1);
        }
        let (mut old_end, mut new_end) = (old.end, new.end);
        while old.start < old_end && new.start < new_end && self.is_value(old_end - 1, new_end - 1)
        {
            (old_end, new_end) = (old_end - 1, new_end - 1);
        }
        let (values, at) = (old_end..old.end, new_end);
        (old.end, new.end) = (old_end, new_end);
        if old.is_empty() && new.is_empty() {
            self.same_gap(old.start, new.start).then_some(())?;
        } else {
            self.items(&old, &new)?;
        }
        for (old, new) in values.zip(at..) {
            self.value(old, new)?;
        }
        Some(())
    }

    /// Whether the item `new` is the value of a member, and `old` was.
    fn is_value(&self, old: usize, new: usize) -> bool {
        let member = self.seat(new).is_some_and(|seat| seat.list.is_none());
        member && self.same_gap(old, new) && self.same_gap(old + 1, new + 1)
    }

    fn value(&mut self, old: usize, new: usize) -> Option<()> {
        let was = self.earlier.items.get(old)?;
        let names = named(&self.seat(new)?.names);
        let short = (was.len() <= SHORT).then(|| was.to_vec());
        self.places.push(Place {
            names,
            what: What::Value(short),
        });
        Some(())
    }

    fn items(&mut self, old: &Range<usize>, new: &Range<usize>) -> Option<()> {
        let (seat, place) = self.list(old, new)?;
        // One place in a list: with two, what is between would have to be compared as well.
        let unseen = self.lists.insert(place.list);
        let before = self.document.items.get(place.first..new.start)?;
        let came = self.document.items.get(new.clone())?;
        let went = self.earlier.items.get(old.clone())?;
        let single = [before, came, went].into_iter().flatten().all(is_single);
        (unseen && single).then_some(())?;
        let count = |range: &Range<usize>| u32::try_from(range.len()).ok();
        self.places.push(Place {
            names: named(&seat.names),
            what: What::Items {
                index: place.index,
                old: count(old)?,
                new: count(new)?,
            },
        });
        Some(())
    }

    /// The list in which all of these stand, with the place of the first. What comes first has to
    /// differ from what stood there, or else a comparison of the whole lists would begin later.
    fn list(&self, old: &Range<usize>, new: &Range<usize>) -> Option<(Seat<'a>, outline::Place)> {
        let (first_gap, last_gap) = (
            self.same_gap(old.start, new.start),
            self.same_gap(old.end, new.end),
        );
        let separators = |gaps: &Gaps<'_>, range: Range<usize>| {
            range.into_iter().all(|at| is_separator(gaps.at(at)))
        };
        let inner = |range: &Range<usize>| range.start + 1..range.end;
        let after_first = |range: &Range<usize>| range.start + 1..range.end + 1;
        let ends = self.is.at(new.end).trim_ascii_start().first() == Some(&b']');
        let first = || self.earlier.items.get(old.start) != self.document.items.get(new.start);
        if !new.is_empty() {
            let (seat, place) = self.together(new)?;
            let fits = if !old.is_empty() {
                let inside = separators(&self.was, inner(old)) && separators(&self.is, inner(new));
                first_gap && last_gap && inside && first()
            } else if first_gap && separators(&self.is, after_first(new)) {
                let next = self.seat(new.end)?.list?;
                let items = &self.document.items;
                next.list == place.list && items.get(new.start) != items.get(new.end)
            } else {
                last_gap && ends && separators(&self.is, new.clone())
            };
            return fits.then_some((seat, place));
        }
        if first_gap && separators(&self.was, after_first(old)) {
            let seat = self.seat(new.start)?;
            return first().then_some((seat.clone(), seat.list?));
        }
        let fits = last_gap && ends && separators(&self.was, old.clone());
        let seat = self.seat(fits.then(|| new.start.checked_sub(1))??)?;
        let mut place = seat.list?;
        place.index = place.index.checked_add(1)?;
        Some((seat.clone(), place))
    }

    /// The seat of the first of these items, if they follow one another in one list.
    fn together(&self, items: &Range<usize>) -> Option<(Seat<'a>, outline::Place)> {
        let seat = self.seat(items.start)?;
        let place = seat.list?;
        for (at, index) in items.clone().zip(place.index..) {
            let here = self.seat(at)?.list?;
            (here.list == place.list && here.index == index).then_some(())?;
        }
        Some((seat.clone(), place))
    }
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Whether an item is one value and not a few tiny elements of a list.
fn is_single(item: &Bytes) -> bool {
    item.len() > GROUP || matches!(item.first(), Some(b'{' | b'[')) || !item.contains(&b',')
}
