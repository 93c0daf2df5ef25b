//! Which generations are no longer kept.

use jiff::{SignedDuration, Timestamp};

use super::rule::GuardPolicy;
use crate::error::Result;

/// A generation, as far as its limits look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aged {
    /// When it was kept.
    pub(crate) at: Timestamp,
    /// A pin has no limits, and is not counted.
    pub(crate) pinned: bool,
}

/// Why a generation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// It is older than that.
    Old(SignedDuration),
    /// There are more than so many, and another one has all that it has.
    Covered(u32),
    /// There are more than so many, and it is the oldest.
    Oldest(u32),
}

/// What is overdue of `kept`, which is in order, oldest first.
///
/// Where there are more than the guard keeps, those go first of which another one has all items: a session
/// that shrinks again and again keeps the state from which it all went. `covered` says whether the first of two has
/// nothing that the second has not.
///
/// # Errors
/// Those of `covered`.
pub(crate) fn overdue(
    guard: &GuardPolicy,
    now: Timestamp,
    kept: &[Aged],
    covered: &mut dyn FnMut(usize, usize) -> Result<bool>,
) -> Result<Vec<Option<Overdue>>> {
    let mut goes = vec![None; kept.len()];
    let limit = usize::try_from(guard.generations).unwrap_or(usize::MAX);
    let pinned = kept.iter().enumerate().filter(|(_, kept)| kept.pinned);
    let pinned: Vec<usize> = pinned.map(|(at, _)| at).collect();
    let mut stay: Vec<usize> = Vec::new();
    for (at, generation) in kept.iter().enumerate().filter(|(_, kept)| !kept.pinned) {
        if now.duration_since(generation.at) > guard.max_age {
            mark(&mut goes, at, Overdue::Old(guard.max_age));
            continue;
        }
        stay.push(at);
        if stay.len() <= limit {
            continue;
        }
        let mut found = None;
        'all: for (place, one) in stay.iter().enumerate() {
            for other in stay.iter().chain(&pinned) {
                if one != other && covered(*one, *other)? {
                    found = Some(place);
                    break 'all;
                }
            }
        }
        let why = match found {
            Some(_) => Overdue::Covered(guard.generations),
            None => Overdue::Oldest(guard.generations),
        };
        mark(&mut goes, stay.remove(found.unwrap_or(0)), why);
    }
    Ok(goes)
}

fn mark(goes: &mut [Option<Overdue>], at: usize, why: Overdue) {
    if let Some(place) = goes.get_mut(at) {
        *place = Some(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Generations of these ages in days, oldest first; negative ones are pinned.
    fn run(
        ages: &[i64],
        guard: &GuardPolicy,
        covered: &dyn Fn(usize, usize) -> bool,
    ) -> Vec<usize> {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let kept: Vec<Aged> = ages
            .iter()
            .map(|days| Aged {
                at: now - SignedDuration::from_hours(24 * days.abs()),
                pinned: *days < 0,
            })
            .collect();
        let goes = overdue(guard, now, &kept, &mut |a, b| Ok(covered(a, b))).unwrap();
        let goes = goes.iter().enumerate().filter(|(_, why)| why.is_some());
        goes.map(|(at, _)| at).collect()
    }

    #[test]
    fn the_oldest_goes_and_what_is_too_old() {
        let guard = GuardPolicy::new("a").generations(2);
        let none = |_, _| false;
        assert_eq!(run(&[3, 2], &guard, &none), [] as [usize; 0]);
        assert_eq!(run(&[4, 3, 2, 1], &guard, &none), [0, 1]);
        assert_eq!(run(&[31, 30, 29], &guard, &none), [0]);
    }

    #[test]
    fn the_fullest_stays_where_it_covers_the_others() {
        let guard = GuardPolicy::new("a").generations(2);
        // 1000 → 50 → 30 → 20: each later one is a part of the first.
        assert_eq!(run(&[4, 3, 2, 1], &guard, &|a, b| a > b), [1, 2]);
        // Each has all that the one before had.
        assert_eq!(run(&[4, 3, 2, 1], &guard, &|a, b| a < b), [0, 1]);
        // Equal ones: one of them stays.
        assert_eq!(run(&[4, 3, 2, 1], &guard, &|_, _| true), [0, 1]);
    }

    #[test]
    fn a_pin_has_no_limits_and_is_not_counted() {
        let guard = GuardPolicy::new("a").generations(2);
        let none = |_, _| false;
        assert_eq!(run(&[-99, -5, 3, 2], &guard, &none), [] as [usize; 0]);
        assert_eq!(run(&[-99, 3, 2, 1], &guard, &|_, b| b == 0), [1]);
    }
}
