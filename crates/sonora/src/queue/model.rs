//! The queue against plain vectors that do the same.

#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{LoopMode, Part, Queue, Why};
use crate::track::{Track, TrackInfo};

/// The track of that name.
pub(super) fn track(name: char) -> Track {
    let info = TrackInfo {
        identifier: name.to_string(),
        ..TrackInfo::default()
    };
    Track::new(format!("encoded {name}"), info)
}

fn name(track: &Track) -> char {
    track.info.identifier.chars().next().unwrap()
}

/// The queue of the tracks of those names.
pub(super) fn queue(history: &str, current: Option<char>, upcoming: &str) -> Queue {
    Queue {
        history: history.chars().map(track).collect(),
        current: current.map(track),
        upcoming: upcoming.chars().map(track).collect(),
        ..Queue::default()
    }
}

/// The names of the history, of the current track, and of the upcoming ones.
pub(super) fn names(queue: &Queue) -> (String, Option<char>, String) {
    (
        queue.history.iter().map(name).collect(),
        queue.current.as_ref().map(name),
        queue.upcoming.iter().map(name).collect(),
    )
}

#[derive(Debug, Clone)]
enum Deed {
    Add(Option<usize>),
    AddMany(usize, Option<usize>),
    Insert(Part, usize),
    Set(Part, usize),
    Remove(Part, usize),
    Shift(usize, usize),
    Clear(Part),
    Shuffle(u64),
    Loop(LoopMode),
    Advance(Why),
    Back,
    SkipTo(usize),
    Reconcile(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let part = || prop_oneof![Just(Part::Upcoming), Just(Part::History)];
    let why = prop_oneof![Just(Why::Finished), Just(Why::Skipped), Just(Why::Failed)];
    let index = || 0..9_usize;
    let at = || proptest::option::of(0..9_usize);
    prop_oneof![
        2 => at().prop_map(Deed::Add),
        2 => (0..4_usize, at()).prop_map(|(count, at)| Deed::AddMany(count, at)),
        1 => (part(), index()).prop_map(|(part, at)| Deed::Insert(part, at)),
        1 => (part(), index()).prop_map(|(part, at)| Deed::Set(part, at)),
        1 => (part(), index()).prop_map(|(part, at)| Deed::Remove(part, at)),
        1 => (index(), index()).prop_map(|(from, to)| Deed::Shift(from, to)),
        1 => part().prop_map(Deed::Clear),
        1 => any::<u64>().prop_map(Deed::Shuffle),
        1 => (0..LoopMode::ALL.len()).prop_map(|mode| Deed::Loop(LoopMode::ALL[mode])),
        6 => why.prop_map(Deed::Advance),
        3 => Just(Deed::Back),
        1 => index().prop_map(Deed::SkipTo),
        2 => index().prop_map(Deed::Reconcile),
    ]
}

#[derive(Debug, Default)]
struct Plain {
    history: Vec<char>,
    current: Option<char>,
    upcoming: Vec<char>,
    mode: LoopMode,
    next: u32,
}

impl Plain {
    fn fresh(&mut self) -> char {
        self.next += 1;
        char::from_u32(0x4e00 + self.next).unwrap()
    }

    fn list(&mut self, part: Part) -> &mut Vec<char> {
        match part {
            Part::Upcoming => &mut self.upcoming,
            Part::History => &mut self.history,
        }
    }

    fn all(&self) -> Vec<char> {
        let lists = self.history.iter().chain(&self.current);
        let mut all: Vec<char> = lists.chain(&self.upcoming).copied().collect();
        all.sort_unstable();
        all
    }

    fn over(&mut self, why: Why) {
        let current = self.current.take();
        match (self.mode, why) {
            (LoopMode::Queue, Why::Finished | Why::Skipped) => self.upcoming.extend(current),
            _ => self.history.extend(current),
        }
    }

    fn start(&mut self) {
        if !self.upcoming.is_empty() {
            self.current = Some(self.upcoming.remove(0));
        }
    }

    /// Each one in turn, as if somebody pressed the button so many times.
    fn skip_to(&mut self, position: usize) {
        for _ in 0..=position {
            self.over(Why::Skipped);
            self.start();
        }
    }

    fn advance(&mut self, why: Why) {
        if self.mode == LoopMode::Track && why == Why::Finished && self.current.is_some() {
            return;
        }
        let anew = self.mode == LoopMode::Queue && why != Why::Failed && self.upcoming.is_empty();
        if anew {
            self.upcoming.append(&mut self.history);
        }
        self.over(why);
        self.start();
    }

    fn back(&mut self) {
        let round = self.mode == LoopMode::Queue && !self.upcoming.is_empty();
        let before = match round {
            true => self.upcoming.pop(),
            false => self.history.pop(),
        };
        if let Some(before) = before
            && let Some(over) = self.current.replace(before)
        {
            self.upcoming.insert(0, over);
        }
    }
}

/// Does `deed` to both.
fn play(deed: &Deed, queue: &mut Queue, plain: &mut Plain) -> Result<(), TestCaseError> {
    match *deed {
        Deed::Add(at) => {
            let new = plain.fresh();
            let position = at.unwrap_or(plain.upcoming.len());
            let fits = position <= plain.upcoming.len();
            prop_assert_eq!(queue.add(track(new), at).is_ok(), fits);
            if fits {
                plain.upcoming.insert(position, new);
            }
        }
        Deed::AddMany(count, at) => {
            let new: Vec<char> = (0..count).map(|_| plain.fresh()).collect();
            let position = at.unwrap_or(plain.upcoming.len());
            let fits = position <= plain.upcoming.len();
            let added = queue.add_many(new.iter().copied().map(track), at);
            prop_assert_eq!(added.ok(), fits.then_some(count));
            if fits {
                plain.upcoming.splice(position..position, new);
            }
        }
        Deed::Insert(part, at) => {
            let new = plain.fresh();
            let fits = at <= plain.list(part).len();
            prop_assert_eq!(queue.insert(part, at, track(new)).is_ok(), fits);
            if fits {
                plain.list(part).insert(at, new);
            }
        }
        Deed::Set(part, at) => {
            let new = plain.fresh();
            let place = plain.list(part).get_mut(at);
            prop_assert_eq!(queue.set(part, at, track(new)).is_ok(), place.is_some());
            if let Some(place) = place {
                *place = new;
            }
        }
        Deed::Remove(part, at) => {
            let there = at < plain.list(part).len();
            let taken = there.then(|| plain.list(part).remove(at));
            prop_assert_eq!(queue.remove(part, at).ok().as_ref().map(name), taken);
        }
        Deed::Shift(from, to) => {
            let fits = from.max(to) < plain.upcoming.len();
            prop_assert_eq!(queue.shift(from, to).is_ok(), fits);
            if fits {
                let moved = plain.upcoming.remove(from);
                plain.upcoming.insert(to, moved);
            }
        }
        Deed::Clear(part) => {
            prop_assert_eq!(queue.clear(part), plain.list(part).len());
            plain.list(part).clear();
        }
        Deed::Shuffle(seed) => {
            queue.shuffle(&mut StdRng::seed_from_u64(seed));
            let shuffled: Vec<char> = queue.upcoming.iter().map(name).collect();
            let before = plain.all();
            plain.upcoming = shuffled;
            prop_assert_eq!(plain.all(), before);
        }
        Deed::Loop(mode) => {
            queue.loop_mode = mode;
            plain.mode = mode;
        }
        Deed::Advance(why) => {
            let before = plain.all();
            plain.advance(why);
            prop_assert_eq!(plain.all(), before);
            prop_assert_eq!(queue.advance(why).map(name), plain.current);
        }
        Deed::Back => {
            plain.back();
            queue.back();
        }
        Deed::SkipTo(position) => {
            let fits = position < plain.upcoming.len();
            let skipped = queue.skip_to(position).map(|now| now.map(name));
            prop_assert_eq!(skipped.is_ok(), fits);
            if fits {
                plain.skip_to(position);
                prop_assert_eq!(skipped.unwrap(), plain.current);
            }
        }
        Deed::Reconcile(position) => {
            if let Some(playing) = plain.upcoming.get(position).copied() {
                queue.reconcile(&track(playing));
                plain.skip_to(position);
            } else {
                let playing = plain.fresh();
                queue.reconcile(&track(playing));
                plain.over(Why::Skipped);
                plain.current = Some(playing);
            }
        }
    }
    Ok(())
}

proptest! {
    /// The plain one only ever moves tracks from one list to another, so this says that none is lost or doubled.
    #[test]
    fn it_does_what_plain_vectors_do(deeds in vec(deed(), 0..80)) {
        let mut queue = Queue::default();
        queue.set_history_limit(usize::MAX);
        let mut plain = Plain::default();
        for deed in deeds {
            play(&deed, &mut queue, &mut plain)?;
            let lists = (plain.history.iter().collect(), plain.current, plain.upcoming.iter().collect());
            prop_assert_eq!(names(&queue), lists, "after {:?}", deed);
            let mut once = plain.all();
            once.dedup();
            prop_assert_eq!(once, plain.all());
        }
    }
}
