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
    work: Box<dyn FnMut() -> Result<()> + 'a>,
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
    /// Adds an entry. What it computes goes through `black_box`, so that it is computed.
    pub fn add<T>(&mut self, name: impl Into<String>, mut work: impl FnMut() -> Result<T> + 'a) {
        self.entries.push(Entry {
            name: name.into(),
            work: Box::new(move || {
                std::hint::black_box(work()?);
                Ok(())
            }),
        });
    }

    /// Runs `rounds` rounds after one that only warms up; each call of an entry is `units` units
    /// of work.
    pub fn run(mut self, rounds: usize, units: usize) -> Result<Vec<Timing>> {
        let mut taken = vec![Vec::new(); self.entries.len()];
        for round in 0..=rounds {
            for (entry, taken) in self.entries.iter_mut().zip(&mut taken) {
                let ((), spent) = spent(&mut entry.work)?;
                if round > 0 {
                    taken.push(spent);
                }
            }
        }
        let timings = self.entries.into_iter().zip(&taken).map(|(entry, taken)| {
            let whole = median(taken);
            Timing {
                name: entry.name,
                median: Spent {
                    cpu_us: whole.cpu_us / units as f64,
                    wall_us: whole.wall_us / units as f64,
                },
            }
        });
        Ok(timings.collect())
    }
}

/// The median of each of the two times; zero for none.
#[must_use]
pub fn median(taken: &[Spent]) -> Spent {
    let middle = |pick: fn(&Spent) -> f64| {
        let mut values: Vec<f64> = taken.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Spent {
        cpu_us: middle(|s| s.cpu_us),
        wall_us: middle(|s| s.wall_us),
    }
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
            contest.add(mark, move || {
                order.borrow_mut().push(mark);
                Ok(())
            });
        }
        let timings = contest.run(2, 1).expect("no failure");
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
