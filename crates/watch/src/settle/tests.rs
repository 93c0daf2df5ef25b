//! The rules by a table, and the promise by whatever order of events: no state that stood still for longer
//! than the settle time is missed. No sleeps and no files: the clock is a number.

use super::*;
use crate::facts::FileTime;
use proptest::prelude::*;

const TIMES: Times = Times {
    settle: Duration::from_millis(500),
    patience: Duration::from_secs(10),
};

fn ms(ms: u64) -> Moment {
    Duration::from_millis(ms)
}

fn file(name: &str) -> File {
    Path::new(name).into()
}

/// Another content for each number.
fn facts(number: u64) -> Facts {
    Facts::for_tests(
        number,
        FileTime::for_tests(number),
        FileTime::for_tests(number),
    )
}

/// A file that stands like that is told of, looked at and waits.
fn told(settling: &mut Settling, name: &str, number: u64, at: u64) {
    let file = file(name);
    settling.happened(&file, ms(at));
    assert_eq!(settling.next(ms(at)), Some(Action::Look(file.clone())));
    settling.seen(&file, Some(facts(number)), ms(at));
}

fn reads(name: &str, number: u64) -> Option<Action> {
    Some(Action::Read {
        file: file(name),
        facts: facts(number),
        hasty: false,
    })
}

#[test]
fn a_file_is_read_once_it_stood_still() {
    let mut settling = Settling::new(TIMES);
    told(&mut settling, "a", 1, 0);
    assert_eq!(
        (settling.next(ms(499)), settling.due()),
        (None, Some(ms(500)))
    );
    // A write begins it anew, a new mode does not.
    told(&mut settling, "a", 2, 400);
    told(&mut settling, "a", 2, 700);
    assert_eq!(settling.next(ms(899)), None);
    assert_eq!(settling.next(ms(900)), reads("a", 2));
    assert_eq!(settling.next(ms(5000)), None, "it is being read");
    settling.read(&file("a"), Outcome::Done(facts(2)), ms(901));
    assert_eq!((settling.next(ms(9999)), settling.due()), (None, None));
    // What is told of a file that is as it was leads to a look and no more.
    told(&mut settling, "a", 2, 10_000);
    assert_eq!(settling.due(), None);
}

#[test]
fn what_happens_while_a_file_is_read_is_looked_at_afterwards() {
    let mut settling = Settling::new(TIMES);
    told(&mut settling, "a", 1, 0);
    assert_eq!(settling.next(ms(500)), reads("a", 1));
    settling.happened(&file("a"), ms(510));
    assert_eq!(settling.next(ms(2000)), None);
    settling.read(&file("a"), Outcome::Done(facts(1)), ms(520));
    assert_eq!(settling.next(ms(520)), Some(Action::Look(file("a"))));
    settling.seen(&file("a"), Some(facts(2)), ms(520));
    assert_eq!(settling.next(ms(1009)), None);
    assert_eq!(settling.next(ms(1010)), reads("a", 2));
}

#[test]
fn a_file_that_changed_unnoticed_is_waited_for_again() {
    let mut settling = Settling::new(TIMES);
    told(&mut settling, "a", 1, 0);
    assert_eq!(settling.next(ms(500)), reads("a", 1));
    settling.read(&file("a"), Outcome::Moved(Some(facts(2))), ms(501));
    assert_eq!(settling.next(ms(1000)), None);
    assert_eq!(settling.next(ms(1001)), reads("a", 2));
}

#[test]
fn a_file_that_never_rests_is_read_in_haste() {
    let mut settling = Settling::new(TIMES);
    let mut hasty = Vec::new();
    for at in (0..25_000).step_by(100) {
        told(&mut settling, "a", at, at);
        if let Some(Action::Read { hasty: true, .. }) = settling.next(ms(at)) {
            hasty.push(at);
            settling.read(&file("a"), Outcome::Done(facts(at)), ms(at));
        }
    }
    assert_eq!(hasty, [10_000, 20_000]);
    // At rest it is read as any other.
    assert_eq!(settling.next(ms(25_399)), None);
    assert_eq!(settling.next(ms(25_400)), reads("a", 24_900));
}

#[test]
fn what_failed_is_tried_again_at_growing_distances() {
    let mut settling = Settling::new(TIMES);
    told(&mut settling, "a", 1, 0);
    let mut now = 500;
    for wait in [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000] {
        assert_eq!(settling.next(ms(now)), reads("a", 1));
        settling.read(&file("a"), Outcome::Failed, ms(now));
        assert_eq!(settling.next(ms(now + wait - 1)), None);
        now += wait;
    }
    // It is not taken for done because nothing changed.
    told(&mut settling, "a", 1, now);
    assert_eq!(settling.next(ms(now)), reads("a", 1));
}

#[test]
fn a_file_that_is_gone_is_told_after_one_that_took_its_place() {
    let mut settling = Settling::new(TIMES);
    told(&mut settling, "a", 1, 0);
    settling.next(ms(500));
    settling.read(&file("a"), Outcome::Done(facts(1)), ms(500));
    settling.happened(&file("a"), ms(1000));
    settling.next(ms(1000));
    settling.seen(&file("a"), None, ms(1000));
    told(&mut settling, "b", 1, 1000);
    assert_eq!(settling.next(ms(2000)), reads("b", 1));
    assert_eq!(settling.next(ms(2000)), Some(Action::Gone(file("a"))));
    assert_eq!((settling.len(), settling.due()), (1, None));
    // One that was never seen there is not waited for, nor remembered.
    settling.happened(&file("c"), ms(3000));
    settling.next(ms(3000));
    settling.seen(&file("c"), None, ms(3000));
    assert_eq!((settling.len(), settling.due()), (1, None));
}

#[test]
fn what_a_look_at_the_whole_folder_finds_counts_from_its_own_time() {
    let mut settling = Settling::new(TIMES);
    settling.known(&file("a"), facts(1));
    settling.seen(&file("a"), Some(facts(1)), ms(0));
    assert_eq!(settling.due(), None);
    settling.seen(&file("b"), Some(facts(2)), ms(300));
    settling.seen(&file("c"), Some(facts(3)), ms(200));
    assert_eq!(settling.next(ms(700)), reads("c", 3));
    assert_eq!(settling.next(ms(799)), None);
    assert_eq!(settling.next(ms(800)), reads("b", 2));
    assert_eq!(settling.pending().count(), 2);
}

/// What a program does to one of a few files, so long after what it did before.
#[derive(Debug, Clone)]
enum Deed {
    Write(usize),
    Remove(usize),
    /// The first becomes the second.
    Rename(usize, usize),
    /// A new mode, or nothing at all.
    Touch(usize),
    /// The whole folder is looked at.
    Scan,
}

fn deeds() -> impl Strategy<Value = Vec<(u64, Deed)>> {
    let wait = prop_oneof![0..20_u64, 300..800_u64, 450..560_u64, 0..3000_u64];
    let deed = prop_oneof![
        4 => (0..3_usize).prop_map(Deed::Write),
        1 => (0..3_usize).prop_map(Deed::Remove),
        1 => (0..3_usize, 0..3_usize).prop_map(|(from, to)| Deed::Rename(from, to)),
        2 => (0..3_usize).prop_map(Deed::Touch),
        1 => Just(Deed::Scan),
    ];
    prop::collection::vec((wait, deed), 1..60)
}

/// Files, how long reading takes, and what was read of them.
struct World {
    settling: Settling,
    names: Vec<File>,
    there: Vec<Option<Facts>>,
    reading: Vec<(u64, usize, Option<Facts>)>,
    took: u64,
    read: Vec<Vec<u64>>,
}

impl World {
    /// Does all that is due until `end`, each thing when it is due.
    fn go_on(&mut self, mut now: u64, end: u64) {
        loop {
            let due = self
                .settling
                .due()
                .map(|due| u64::try_from(due.as_millis()).unwrap());
            let answer = self.reading.iter().map(|(at, ..)| *at).min();
            let next = [due, answer].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                return;
            };
            now = now.max(next);
            if let Some(at) = self.reading.iter().position(|(at, ..)| *at <= now) {
                let (_, index, before) = self.reading.swap_remove(at);
                let after = self.there[index];
                let outcome = match (before, after) {
                    (Some(before), Some(after)) if before == after => {
                        self.read[index].push(before.size);
                        Outcome::Done(before)
                    }
                    (_, after) => Outcome::Moved(after),
                };
                self.settling.read(&self.names[index], outcome, ms(now));
            }
            match self.settling.next(ms(now)) {
                Some(Action::Look(file)) => {
                    let index = self.names.iter().position(|name| *name == file).unwrap();
                    self.settling.seen(&file, self.there[index], ms(now));
                }
                Some(Action::Read { file, facts, hasty }) => {
                    assert!(!hasty || now >= 10_000);
                    let index = self.names.iter().position(|name| *name == file).unwrap();
                    let same = self.there[index] == Some(facts);
                    self.reading
                        .push((now + self.took, index, self.there[index].filter(|_| same)));
                }
                Some(Action::Gone(file)) => {
                    let index = self.names.iter().position(|name| *name == file).unwrap();
                    if self.there[index].is_some() {
                        self.settling.happened(&file, ms(now));
                    }
                }
                None => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_state_that_stood_still_is_missed(
        deeds in deeds(),
        late in 0..40_u64,
        took in 0..30_u64,
    ) {
        let mut world = World {
            settling: Settling::new(TIMES),
            names: ["a", "b", "c"].map(file).to_vec(),
            there: vec![None; 3],
            reading: Vec::new(),
            took,
            read: vec![Vec::new(); 3],
        };
        // Of each file: what stood there, from when.
        let mut stood: Vec<Option<(u64, u64)>> = vec![None; 3];
        let mut expected: Vec<Vec<u64>> = vec![Vec::new(); 3];
        let (mut now, mut content) = (0, 0);
        let mut told: Vec<(u64, usize)> = Vec::new();
        for (wait, deed) in deeds.into_iter().chain([(5_000, Deed::Scan)]) {
            let then = now + wait;
            // What happened is told a little late, while other things go on.
            told.sort_unstable();
            for (at, index) in std::mem::take(&mut told) {
                if at > then {
                    told.push((at, index));
                    continue;
                }
                world.go_on(now, at);
                now = now.max(at);
                let name = world.names[index].clone();
                world.settling.happened(&name, ms(at));
            }
            world.go_on(now, then);
            now = then;
            let mut changed = |index: usize, to: Option<Facts>, world: &mut World| {
                if let Some((what, since)) = stood[index].take() {
                    // To be told of it, to wait, to read.
                    if now - since > 500 + late + took {
                        expected[index].push(what);
                    }
                }
                world.there[index] = to;
                stood[index] = to.map(|facts| (facts.size, now));
                told.push((now + late, index));
            };
            content += 1;
            match deed {
                Deed::Write(index) => changed(index, Some(facts(content)), &mut world),
                Deed::Remove(index) => changed(index, None, &mut world),
                Deed::Rename(from, to) if from != to && world.there[from].is_some() => {
                    let moved = world.there[from].map(|there| Facts {
                        changed: FileTime::for_tests(content),
                        ..there
                    });
                    changed(from, None, &mut world);
                    changed(to, moved, &mut world);
                }
                Deed::Touch(index) => told.push((now + late, index)),
                Deed::Rename(..) => {}
                Deed::Scan => {
                    for (name, there) in world.names.iter().zip(&world.there) {
                        world.settling.seen(name, *there, ms(now));
                    }
                }
            }
        }
        for (read, expected) in world.read.iter().zip(expected) {
            let missed: Vec<_> = expected.iter().filter(|what| !read.contains(what)).collect();
            prop_assert!(missed.is_empty(), "missed {missed:?}: read {read:?}");
        }
    }
}
