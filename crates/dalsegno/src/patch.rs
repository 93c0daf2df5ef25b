//! A sequence against an earlier one: which of its atoms stay, which are new.

/// One step of a patch: first `new` fresh atoms, then `copy` atoms of the earlier sequence, from
/// `skip` places after where the last copy ended (before it, if negative).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Run {
    pub(crate) new: u32,
    pub(crate) skip: i64,
    pub(crate) copy: u32,
}

/// How a sequence (of items, or of gaps) comes from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patch<T> {
    pub(crate) runs: Vec<Run>,
    pub(crate) new: Vec<T>,
}

impl<T: Clone> Patch<T> {
    pub(crate) fn from_nothing(atoms: &[T]) -> Self {
        let mut patch = Self {
            runs: Vec::new(),
            new: atoms.to_vec(),
        };
        patch.push_run(atoms.len(), 0, 0);
        patch
    }

    pub(crate) fn leads(&self, earlier: &[T], to: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
        let (mut new, mut to, mut at) = (self.new.as_slice(), to, 0);
        let mut starts_with = |atoms: &[T]| {
            let Some((head, rest)) = to.split_at_checked(atoms.len()) else {
                return false;
            };
            to = rest;
            head.iter().zip(atoms).all(|(a, b)| same(a, b))
        };
        for run in &self.runs {
            let Some((fresh, rest)) = new.split_at_checked(run.new as usize) else {
                return false;
            };
            let Some(from) = usize::try_from(run.skip).map_or_else(
                |_| usize::checked_sub(at, run.skip.unsigned_abs() as usize),
                |skip| at.checked_add(skip),
            ) else {
                return false;
            };
            new = rest;
            at = from + run.copy as usize;
            let copied = earlier.get(from..at);
            if !starts_with(fresh) || !copied.is_some_and(&mut starts_with) {
                return false;
            }
        }
        new.is_empty() && to.is_empty()
    }

    #[cfg(test)]
    fn is_nothing(&self, earlier: usize) -> bool {
        match self.runs.as_slice() {
            [] => earlier == 0,
            [run] => run.new == 0 && run.skip == 0 && run.copy as usize == earlier,
            _ => false,
        }
    }

    fn push_run(&mut self, new: usize, skip: i64, copy: usize) {
        if new + copy > 0 {
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            self.runs.push(Run {
                new: count(new),
                skip,
                copy: count(copy),
            });
        }
    }

    /// Greedy: keep copying while the sequences agree; where they part, look a little ahead, then
    /// ask `find`, else take the atom as new.
    pub(crate) fn between(
        earlier: &[T],
        atoms: &[T],
        same: impl Fn(&T, &T) -> bool,
        find: impl Fn(&T) -> Option<usize>,
    ) -> Self {
        let mut patch = Self {
            runs: Vec::new(),
            new: Vec::new(),
        };
        let (mut new, mut copied_to, mut next, mut at) = (0_usize, 0_usize, 0_usize, 0_usize);
        while let Some(atom) = atoms.get(at) {
            let here = |from: &usize| earlier.get(*from).is_some_and(|e| same(e, atom));
            let before = next.saturating_sub(1).max(copied_to);
            let near = [next, before]
                .into_iter()
                .chain(next + 1..next + 4)
                .find(here);
            let Some(from) = near.or_else(|| find(atom)) else {
                patch.new.push(atom.clone());
                // An atom was replaced, more often than one was put in.
                (new, next, at) = (new + 1, next + 1, at + 1);
                continue;
            };
            let rest = earlier.get(from..).unwrap_or_default();
            let copy = rest
                .iter()
                .zip(atoms.get(at..).unwrap_or_default())
                .take_while(|(e, a)| same(e, a))
                .count();
            patch.push_run(new, distance(copied_to, from), copy);
            (new, copied_to, at) = (0, from + copy, at + copy);
            next = copied_to;
        }
        patch.push_run(new, 0, 0);
        patch
    }
}

/// `to − from`; sequences are far shorter than `i64` is wide.
fn distance(from: usize, to: usize) -> i64 {
    let wide = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    wide(to) - wide(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(earlier: &[u32], now: &[u32]) -> Patch<u32> {
        let find = |atom: &u32| earlier.iter().position(|e| e == atom);
        let patch = Patch::between(earlier, now, PartialEq::eq, find);
        assert_eq!(apply(earlier, &patch), now);
        patch
    }

    /// The definition of a patch, written down a second time.
    fn apply(earlier: &[u32], patch: &Patch<u32>) -> Vec<u32> {
        let (mut out, mut new, mut at) = (Vec::new(), patch.new.iter(), 0_i64);
        for run in &patch.runs {
            out.extend(new.by_ref().take(run.new as usize));
            let from = (at + run.skip) as usize;
            at = (from + run.copy as usize) as i64;
            out.extend(&earlier[from..at as usize]);
        }
        assert_eq!(new.next(), None);
        out
    }

    #[test]
    fn what_programs_do_takes_few_runs() {
        let queue: Vec<u32> = (0..200).collect();
        assert!(patch(&queue, &queue).is_nothing(200));
        assert!(patch(&[], &[]).is_nothing(0));
        let popped = patch(&queue, &queue[1..]);
        assert_eq!((popped.runs.len(), popped.new.len()), (1, 0));
        let appended = patch(&queue, &[&queue[..], &[900]].concat());
        assert_eq!((appended.runs.len(), appended.new.len()), (2, 1));
        let mut replaced = queue.clone();
        replaced[100] = 900;
        assert_eq!(patch(&queue, &replaced).runs.len(), 2);
        let moved = [&queue[50..], &queue[..50]].concat();
        assert_eq!(patch(&queue, &moved).new.len(), 0);
    }

    #[test]
    fn a_patch_that_leads_elsewhere_is_found_out() {
        let (earlier, now) = ([1, 2, 3, 4, 5, 6], [9, 2, 3, 5, 1, 7]);
        let good = patch(&earlier, &now);
        assert!(good.leads(&earlier, &now, PartialEq::eq));
        assert!(!good.leads(&earlier, &now[..5], PartialEq::eq));
        assert!(!good.leads(&earlier[..4], &now, PartialEq::eq));
        for at in 0..good.runs.len() {
            for (new, skip, copy) in [
                (1, 0, 0),
                (0, 1, 0),
                (0, -7, 0),
                (0, i64::MAX, 0),
                (0, 0, 1),
            ] {
                let mut bent = good.clone();
                let run = &mut bent.runs[at];
                if run.copy == 0 && skip != 0 {
                    continue;
                }
                run.new += new;
                run.skip = run.skip.saturating_add(skip);
                run.copy += copy;
                assert!(!bent.leads(&earlier, &now, PartialEq::eq), "{bent:?}");
            }
        }
    }

    #[test]
    fn nothing_left_is_not_nothing_changed() {
        assert!(!patch(&[1, 2], &[]).is_nothing(2));
        assert!(!patch(&[1, 2], &[1]).is_nothing(2));
        assert!(!patch(&[1, 2], &[2, 1]).is_nothing(2));
    }

    proptest::proptest! {
        #[test]
        fn any_sequence_comes_from_any_other(earlier: Vec<u8>, now: Vec<u8>) {
            let wide = |v: Vec<u8>| v.into_iter().map(u32::from).collect::<Vec<_>>();
            patch(&wide(earlier), &wide(now));
        }
    }
}
