//! Which items of one list are those of another, and whether they stand in the same order.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::ops::Range;

use super::identity::{Identity, grew};
use super::rule::End;
use crate::diff::list::longest_rising;
use crate::error::Result;

/// Where so many pairs of equal items are possible, the first is paired with the first, and so on, and no better
/// order is looked for.
const MANY: usize = 1 << 20;

/// Each item of the old list with one of the new list that is the same, as many as there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pairs {
    /// For each item of the old list, its place in the new one.
    pub(super) of_old: Vec<Option<usize>>,
    /// For each item of the new list, its place in the old one.
    pub(super) of_new: Vec<Option<usize>>,
    /// An item that stands in another order than the others: its places in the old and in the new list.
    pub(super) crossing: Option<(usize, usize)>,
}

impl Pairs {
    /// Pairs equal items, then those of one identity, then at the same place those that grew.
    pub(super) fn of(old: &[&[u8]], new: &[&[u8]], key: Option<&[String]>) -> Result<Self> {
        Self::between(old, new, key, true)
    }

    /// As many pairs as [`of`](Self::of) has, without a care for order: what is shared, or there again byte for byte,
    /// is not read.
    pub(super) fn quickly(old: &[&[u8]], new: &[&[u8]], key: Option<&[String]>) -> Result<Self> {
        let (mut pairs, olds, news) = Self::ends(old, new, true);
        let address = |item: &&[u8]| (item.as_ptr(), item.len());
        pairs.left(old, new, &olds, &news, |a, b| {
            let all = |items: &[&[u8]]| items.iter().map(address).collect::<Vec<_>>();
            Ok(Classes::of(&all(a), &all(b)))
        })?;
        pairs.left(old, new, &olds, &news, |a, b| Ok(Classes::of(a, b)))?;
        pairs.left(old, new, &olds, &news, |a, b| {
            let (a, b) = identities(a, b, key)?;
            Ok(Classes::of(&a, &b))
        })?;
        pairs.grown(old, new, &[], &olds, &news);
        Ok(pairs)
    }

    /// Pairs what is left, first with first in each class.
    fn left(
        &mut self,
        old: &[&[u8]],
        new: &[&[u8]],
        olds: &Range<usize>,
        news: &Range<usize>,
        classes: impl Fn(&[&[u8]], &[&[u8]]) -> Result<Classes>,
    ) -> Result<()> {
        let olds = free(&self.of_old, olds.clone());
        let news = free(&self.of_new, news.clone());
        if olds.is_empty() || news.is_empty() {
            return Ok(());
        }
        let was: Vec<&[u8]> = olds.iter().filter_map(|at| old.get(*at).copied()).collect();
        let is: Vec<&[u8]> = news.iter().filter_map(|at| new.get(*at).copied()).collect();
        for (a, b) in &classes(&was, &is)?.places {
            for (a, b) in a.iter().zip(b) {
                if let (Some(a), Some(b)) = (olds.get(*a), news.get(*b)) {
                    self.join(*a, *b);
                }
            }
        }
        Ok(())
    }

    /// The same as [`of`](Self::of), but that of equal items those farthest from `end` are paired, since there the others went.
    pub(super) fn away_from(
        end: End,
        old: &[&[u8]],
        new: &[&[u8]],
        key: Option<&[String]>,
    ) -> Result<Self> {
        match end {
            End::Front => Self::between(old, new, key, false),
            End::Back => {
                let a: Vec<&[u8]> = old.iter().rev().copied().collect();
                let b: Vec<&[u8]> = new.iter().rev().copied().collect();
                Ok(Self::between(&a, &b, key, false)?.turned())
            }
        }
    }

    fn turned(mut self) -> Self {
        let (olds, news) = (self.of_old.len(), self.of_new.len());
        let turn = |places: &mut Vec<Option<usize>>, others: usize| {
            places.reverse();
            for place in places.iter_mut().flatten() {
                *place = others - 1 - *place;
            }
        };
        turn(&mut self.of_old, news);
        turn(&mut self.of_new, olds);
        self.crossing = self
            .crossing
            .map(|(old, new)| (olds - 1 - old, news - 1 - new));
        self
    }

    fn between(
        old: &[&[u8]],
        new: &[&[u8]],
        key: Option<&[String]>,
        head_stays: bool,
    ) -> Result<Self> {
        let (mut pairs, olds, news) = Self::ends(old, new, head_stays);
        if !olds.is_empty() && !news.is_empty() {
            pairs.middle(old, new, key, olds, news)?;
        }
        Ok(pairs)
    }

    /// Pairs what is equal at both ends, and says what is between.
    fn ends(old: &[&[u8]], new: &[&[u8]], head_stays: bool) -> (Self, Range<usize>, Range<usize>) {
        let mut pairs = Self {
            of_old: vec![None; old.len()],
            of_new: vec![None; new.len()],
            crossing: None,
        };
        let same = |(a, b): &(&&[u8], &&[u8])| shared(a, b);
        let both = old
            .iter()
            .zip(new)
            .take(if head_stays { old.len() } else { 0 });
        let head = both.take_while(same).count();
        let rest = old.len().min(new.len()) - head;
        let ends = old.iter().rev().zip(new.iter().rev()).take(rest);
        let tail = ends.take_while(same).count();
        for at in 0..head {
            pairs.join(at, at);
        }
        for back in 1..=tail {
            pairs.join(old.len() - back, new.len() - back);
        }
        (pairs, head..old.len() - tail, head..new.len() - tail)
    }

    fn join(&mut self, old: usize, new: usize) {
        if let (Some(a), Some(b)) = (self.of_old.get_mut(old), self.of_new.get_mut(new)) {
            (*a, *b) = (Some(new), Some(old));
        }
    }

    fn middle(
        &mut self,
        old: &[&[u8]],
        new: &[&[u8]],
        key: Option<&[String]>,
        olds: Range<usize>,
        news: Range<usize>,
    ) -> Result<()> {
        let (was, is) = (
            old.get(olds.clone()).unwrap_or_default(),
            new.get(news.clone()).unwrap_or_default(),
        );
        // What is there again byte for byte is found without reading it. Only where something is left on both
        // sides may more items be the same.
        let mut classes = Classes::of(was, is);
        if classes.left_on_both_sides() {
            let (a, b) = identities(was, is, key)?;
            classes = Classes::of(&a, &b);
        }
        let place = |(a, b): (usize, usize)| (olds.start + a, news.start + b);
        let in_order: Vec<_> = classes.in_order().into_iter().map(place).collect();
        for (a, b) in &in_order {
            self.join(*a, *b);
        }
        for (a, b) in &classes.places {
            let olds = a.iter().map(|at| olds.start + at);
            let news = b.iter().map(|at| news.start + at);
            let olds: Vec<usize> = olds.filter(|at| is_free(&self.of_old, *at)).collect();
            let news: Vec<usize> = news.filter(|at| is_free(&self.of_new, *at)).collect();
            for (a, b) in olds.into_iter().zip(news) {
                self.join(a, b);
                self.crossing = self.crossing.or(Some((a, b)));
            }
        }
        self.grown(old, new, &in_order, &olds, &news);
        Ok(())
    }

    /// Between the pairs that are in order, pairs what stands at the same place from either end and grew.
    fn grown(
        &mut self,
        old: &[&[u8]],
        new: &[&[u8]],
        in_order: &[(usize, usize)],
        olds: &Range<usize>,
        news: &Range<usize>,
    ) {
        let grown = |was: usize, is: usize| {
            let items = old.get(was).zip(new.get(is));
            items.is_some_and(|(was, is)| grew(was, is))
        };
        let (mut a, mut b) = (olds.start, news.start);
        let end = [(olds.end, news.end)];
        for (next_a, next_b) in in_order.iter().chain(&end).copied() {
            let was = free(&self.of_old, a..next_a);
            let is = free(&self.of_new, b..next_b);
            let mut after = (a, b);
            (a, b) = (next_a + 1, next_b + 1);
            for (was, is) in was.iter().copied().zip(is.iter().copied()) {
                if grown(was, is) {
                    self.join(was, is);
                    after = (was + 1, is + 1);
                }
            }
            for (was, is) in was.iter().copied().rev().zip(is.iter().copied().rev()) {
                if was < after.0 || is < after.1 {
                    break;
                }
                if grown(was, is) {
                    self.join(was, is);
                }
            }
        }
    }
}

/// What says which item each is. A key that two items of a list have says nothing.
fn identities(
    old: &[&[u8]],
    new: &[&[u8]],
    key: Option<&[String]>,
) -> Result<(Vec<Identity>, Vec<Identity>)> {
    let all = |items: &[&[u8]]| -> Result<Vec<Identity>> {
        items.iter().map(|item| Identity::of(item, key)).collect()
    };
    let (mut a, mut b) = (all(old)?, all(new)?);
    let mut shared: HashSet<Identity> = HashSet::new();
    if key.is_some() {
        for identities in [&a, &b] {
            let mut seen = HashSet::with_capacity(identities.len());
            let twice = identities.iter().filter(|identity| !seen.insert(*identity));
            shared.extend(twice.cloned());
        }
    }
    if !shared.is_empty() {
        for (items, identities) in [(old, &mut a), (new, &mut b)] {
            for (item, identity) in items.iter().zip(identities) {
                if shared.contains(identity) {
                    *identity = Identity::of(item, None)?;
                }
            }
        }
    }
    Ok((a, b))
}

fn free(places: &[Option<usize>], range: Range<usize>) -> Vec<usize> {
    range.filter(|at| is_free(places, *at)).collect()
}

fn is_free(places: &[Option<usize>], at: usize) -> bool {
    places.get(at) == Some(&None)
}

/// Shared items are the same without a look at their bytes.
fn shared(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && (a.as_ptr() == b.as_ptr() || a == b)
}

/// For each thing, where it stands in the old and in the new list.
struct Classes {
    /// The class of each item of the old list.
    of_old: Vec<usize>,
    /// The places in the old and in the new list, rising; the last are things that only the new list has.
    places: Vec<(Vec<usize>, Vec<usize>)>,
}

impl Classes {
    fn of<T: Hash + Eq>(old: &[T], new: &[T]) -> Self {
        let mut numbers: HashMap<&T, usize> = HashMap::with_capacity(old.len());
        let mut classes = Self {
            of_old: Vec::with_capacity(old.len()),
            places: Vec::new(),
        };
        for (at, item) in old.iter().enumerate() {
            let next = classes.places.len();
            let class = *numbers.entry(item).or_insert(next);
            if class == next {
                classes.places.push((Vec::new(), Vec::new()));
            }
            classes.of_old.push(class);
            if let Some((olds, _)) = classes.places.get_mut(class) {
                olds.push(at);
            }
        }
        let mut others = Vec::new();
        for (at, item) in new.iter().enumerate() {
            let class = numbers.get(item).copied();
            match class.and_then(|class| classes.places.get_mut(class)) {
                Some((_, news)) => news.push(at),
                None => others.push(at),
            }
        }
        classes.places.push((Vec::new(), others));
        classes
    }

    fn left_on_both_sides(&self) -> bool {
        self.places.iter().any(|(a, b)| a.len() > b.len())
            && self.places.iter().any(|(a, b)| a.len() < b.len())
    }

    /// As many pairs as can be had with both lists in the same order, of equal items of the old list the last.
    fn in_order(&self) -> Vec<(usize, usize)> {
        let combinations = |(a, b): &(Vec<usize>, Vec<usize>)| a.len().saturating_mul(b.len());
        let possible = self
            .places
            .iter()
            .map(combinations)
            .fold(0, usize::saturating_add);
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        if possible > MANY {
            let first_with_first = |(a, b): &(Vec<usize>, Vec<usize>)| -> Vec<_> {
                a.iter().copied().zip(b.iter().copied()).collect()
            };
            pairs.extend(self.places.iter().flat_map(first_with_first));
            pairs.sort_unstable();
        } else {
            for (at, class) in self.of_old.iter().enumerate() {
                // Falling, so that a rising run takes one of them.
                let news = self.places.get(*class).map(|(_, news)| news.iter().rev());
                pairs.extend(news.into_iter().flatten().map(|new| (at, *new)));
            }
        }
        let order: Vec<usize> = pairs.iter().map(|(_, new)| *new).collect();
        let run = longest_rising(&order).into_iter();
        run.filter_map(|at| pairs.get(at).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<&[u8]> {
        text.split_whitespace().map(str::as_bytes).collect()
    }

    fn gone(pairs: &Pairs) -> Vec<usize> {
        let gone = |(at, place): (usize, &Option<usize>)| place.is_none().then_some(at);
        pairs.of_old.iter().enumerate().filter_map(gone).collect()
    }

    #[test]
    fn as_many_as_there_are_are_paired_in_order_where_that_is_possible() {
        for (old, new, lost, in_order) in [
            ("1 2 3", "1 2 3 4", &[][..], true),
            ("1 2 3", "2 3 4", &[0], true),
            ("1 2 3", "", &[0, 1, 2], true),
            ("1 2 1 3", "2 1", &[0, 3], true),
            ("1 2 3", "3 1 2", &[], false),
            ("1 1 1", "9 1 8", &[0, 1], true),
            ("1 2 3 4", "9 4 2", &[0, 2], false),
        ] {
            let (old, new) = (items(old), items(new));
            let pairs = Pairs::of(&old, &new, None).unwrap();
            assert_eq!(
                (&gone(&pairs)[..], pairs.crossing.is_none()),
                (lost, in_order)
            );
            for (at, place) in pairs.of_old.iter().enumerate() {
                assert!(place.is_none_or(|new| pairs.of_new.get(new) == Some(&Some(at))));
            }
        }
    }

    #[test]
    fn of_equal_items_those_at_the_natural_end_went() {
        let (old, new) = (items("1 1 2"), items("1 2 3"));
        assert_eq!(gone(&Pairs::of(&old, &new, None).unwrap()), [1]);
        let front = Pairs::away_from(End::Front, &old, &new, None).unwrap();
        assert_eq!(
            (gone(&front), &front.of_old[1..]),
            (vec![0], &[Some(0), Some(1)][..])
        );
        let (old, new) = (items("2 1 1"), items("3 2 1"));
        let back = Pairs::away_from(End::Back, &old, &new, None).unwrap();
        assert_eq!(
            (gone(&back), &back.of_old[..2]),
            (vec![2], &[Some(1), Some(2)][..])
        );
    }

    #[test]
    fn many_equal_items_do_not_take_for_ever() {
        let (mut old, mut new) = (vec![&b"1"[..]; 20_000], vec![&b"1"[..]; 19_000]);
        old.insert(0, b"2");
        new.insert(9_000, b"3");
        let pairs = Pairs::of(&old, &new, None).unwrap();
        assert_eq!(gone(&pairs).len(), 1_001);
        assert_eq!(pairs.crossing, None);
    }
}
