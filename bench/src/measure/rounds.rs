//! Medians of interleaved runs.
//!
//! All entries of a contest take turns, round after round, so that a slow moment of the machine
//! meets all of them; the median of the rounds forgets it.

use anyhow::Result;

use super::cpu::{Spent, spent};

/// Entries that are measured against each other.
#[derive(Default)]
pub struct Contest<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    name: String,
    units: usize,
    work: Box<dyn FnMut() -> Result<Spent> + 'a>,
}

/// The median of an entry's rounds.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The entry's name.
    pub name: String,
    /// The median of CPU and of clock time for one unit of work.
    pub median: Spent,
}

impl<'a> Contest<'a> {
    /// Adds an entry that does `units` units of work. What it computes goes through `black_box`, so
    /// that it is computed.
    pub fn add<T>(
        &mut self,
        name: impl Into<String>,
        units: usize,
        mut work: impl FnMut() -> Result<T> + 'a,
    ) {
        self.add_timed(name, units, move || {
            let (outcome, spent) = spent(&mut work)?;
            std::hint::black_box(outcome);
            Ok(spent)
        });
    }

    /// Adds an entry that measures itself, because not all of what it does counts.
    pub fn add_timed(
        &mut self,
        name: impl Into<String>,
        units: usize,
        work: impl FnMut() -> Result<Spent> + 'a,
    ) {
        self.entries.push(Entry {
            name: name.into(),
            units,
            work: Box::new(work),
        });
    }

    /// Runs `rounds` rounds after one that only warms up.
    pub fn run(mut self, rounds: usize) -> Result<Vec<Timing>> {
        let mut taken = vec![Vec::new(); self.entries.len()];
        for round in 0..=rounds {
            for (entry, taken) in self.entries.iter_mut().zip(&mut taken) {
                let spent = (entry.work)()?;
                if round > 0 {
                    taken.push(spent);
                }
            }
        }
        let timings = self.entries.into_iter().zip(&taken).map(|(entry, taken)| {
            let whole = median(taken);
            let units = entry.units.max(1) as f64;
            Timing {
                name: entry.name,
                median: Spent {
                    cpu_us: whole.cpu_us / units,
                    wall_us: whole.wall_us / units,
                },
            }
        });
        Ok(timings.collect())
    }
}

/// The median of each of the two times; zero for none.
#[must_use]
pub fn median(taken: &[Spent]) -> Spent {
    Spent {
        cpu_us: middle(taken.iter().map(|s| s.cpu_us).collect()),
        wall_us: middle(taken.iter().map(|s| s.wall_us).collect()),
    }
}

/// The middle one; zero for none.
#[must_use]
pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_take_turns_and_warm_up_once() {
        let order = std::cell::RefCell::new(String::new());
        let mut contest = Contest::default();
        for mark in ['a', 'b'] {
            let order = &order;
            contest.add(mark, 1, move || {
                order.borrow_mut().push(mark);
                Ok(())
            });
        }
        let timings = contest.run(2).expect("no failure");
        assert_eq!(timings[1].name, "b");
        assert_eq!(*order.borrow(), "ababab");
    }

    #[test]
    fn a_median_forgets_the_outlier() {
        let at = |cpu_us| Spent {
            cpu_us,
            wall_us: 1.0,
        };
        assert_eq!(median(&[at(3.0), at(900.0), at(2.0)]).cpu_us, 3.0);
        assert_eq!(median(&[]), Spent::default());
    }
}
