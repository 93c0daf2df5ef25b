//! Which pages are of which table, and which are in use at all.

use std::collections::{HashMap, HashSet};

use super::columns::{Column, columns};
use super::file::{Pages, word};
use super::row::TABLES;
use super::tree::{Kind, Node};

/// So many pages one page of the map of pointers says something of.
const MAPPED: u32 = 4096 / 5;

/// What a page is used for, as far as that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Of this table, which leads to it.
    Of(&'static str),
    /// In use, though nothing leads to it any more.
    Unled,
    /// Free, or no page of rows.
    None,
    /// Nobody can say.
    Unknown,
}

/// What is known of the file's pages.
pub(super) struct Map {
    /// By page.
    of: HashMap<u32, Option<&'static str>>,
    /// The free ones, where all are known.
    free: Option<HashSet<u32>>,
    /// The names that stand in the index of sessions' names, by number.
    pub(super) names: HashMap<i64, String>,
    /// Whether the whole schema could be read, which says where the tables begin.
    pub(super) whole: bool,
    /// The tables of which pages or rows could not be read.
    pub(super) torn: HashSet<&'static str>,
}

impl Map {
    pub(super) fn of(pages: &Pages) -> Self {
        let mut map = Self {
            of: HashMap::new(),
            free: free(pages),
            names: HashMap::new(),
            whole: true,
            torn: HashSet::new(),
        };
        let (roots, whole) = map.roots(pages);
        for table in TABLES {
            match roots.get(table) {
                Some(root) => map.walk(pages, *root, Some(table)),
                None => drop(map.torn.insert(table)),
            }
        }
        map.whole = whole;
        if !whole {
            map.torn.extend(TABLES);
        }
        for (name, root) in roots
            .iter()
            .filter(|(name, _)| !TABLES.contains(&name.as_str()))
        {
            map.walk(pages, *root, None);
            if name.starts_with("sqlite_autoindex_session") {
                map.index_of_names(pages, *root);
            }
        }
        map
    }

    /// Where the tables and indexes begin, as the schema says, and whether all of it could be read.
    fn roots(&mut self, pages: &Pages) -> (HashMap<String, u32>, bool) {
        let mut roots = HashMap::new();
        let (mut next, mut whole) = (vec![1], true);
        let mut seen = HashSet::new();
        while let Some(number) = next.pop() {
            let node = Node::read(pages, number).filter(|_| seen.insert(number));
            let Some(node) =
                node.filter(|node| matches!(node.kind, Kind::InnerTable | Kind::LeafTable))
            else {
                whole = false;
                continue;
            };
            self.of.insert(number, None);
            whole &= !node.is_torn;
            for cell in &node.cells {
                match columns(&cell.payload).as_deref() {
                    Some(
                        [
                            Column::Text(_),
                            Column::Text(name),
                            Column::Text(_),
                            Column::Int(root),
                            _,
                        ],
                    ) => {
                        roots.extend(u32::try_from(*root).map(|root| (name.clone(), root)));
                    }
                    _ => whole = false,
                }
            }
            next.extend(node.children);
        }
        (roots, whole)
    }

    /// Follows a tree from its root.
    fn walk(&mut self, pages: &Pages, root: u32, table: Option<&'static str>) {
        let mut next = vec![root];
        let by_number = table.is_some_and(|table| !["store", "note"].contains(&table));
        while let Some(number) = next.pop() {
            let fits =
                |node: &Node| matches!(node.kind, Kind::InnerTable | Kind::LeafTable) == by_number;
            let node = Node::read(pages, number).filter(fits);
            let fresh = !self.of.contains_key(&number);
            let Some(node) = node.filter(|_| fresh) else {
                self.torn.extend(table);
                continue;
            };
            self.of.insert(number, table);
            if node.is_torn {
                self.torn.extend(table);
            }
            next.extend(node.children);
        }
    }

    fn index_of_names(&mut self, pages: &Pages, root: u32) {
        let (mut next, mut seen) = (vec![root], HashSet::new());
        while let Some(number) = next.pop() {
            let Some(node) = Node::read(pages, number).filter(|_| seen.insert(number)) else {
                continue;
            };
            for cell in &node.cells {
                if let Some([Column::Text(name), Column::Int(session)]) =
                    columns(&cell.payload).as_deref()
                {
                    self.names.insert(*session, name.clone());
                }
            }
            next.extend(node.children);
        }
    }

    /// How many trees begin on the file's pages.
    pub(super) fn count_roots(pages: &Pages) -> usize {
        let begins = |number: &u32| matches!(mapped(pages, *number), Mapped::Root);
        (2..=pages.count()).filter(begins).count()
    }

    /// What the page is used for.
    pub(super) fn used(&self, pages: &Pages, number: u32) -> Use {
        if let Some(of) = self.of.get(&number) {
            return of.map_or(Use::None, Use::Of);
        }
        let listed = self.free.as_ref().map(|free| free.contains(&number));
        match (mapped(pages, number), listed) {
            (Mapped::Free, _) | (Mapped::Overflow, _) => Use::None,
            // Both must agree, where both are known.
            (Mapped::Root | Mapped::Tree, None | Some(false)) | (Mapped::Torn, Some(false)) => {
                Use::Unled
            }
            (Mapped::Torn, Some(true)) => Use::None,
            (Mapped::Root | Mapped::Tree, Some(true)) | (Mapped::Torn, None) => Use::Unknown,
        }
    }
}

enum Mapped {
    /// The first page of a tree.
    Root,
    Tree,
    Overflow,
    Free,
    Torn,
}

/// What the map of pointers says of a page.
fn mapped(pages: &Pages, number: u32) -> Mapped {
    // The first is page 2, and each has those after it.
    let map = (number.saturating_sub(2)) / (MAPPED + 1) * (MAPPED + 1) + 2;
    if number < 2 || number == map {
        return Mapped::Free;
    }
    let at = 5 * (number - map - 1) as usize;
    let Some(page) = pages.get(map) else {
        return Mapped::Torn;
    };
    let parent = word(&page[..], at + 1);
    let led = (1..=pages.count()).contains(&parent);
    match page.get(at) {
        Some(1) if parent == 0 => Mapped::Root,
        Some(2) if parent == 0 => Mapped::Free,
        Some(3 | 4) if led => Mapped::Overflow,
        Some(5) if led => Mapped::Tree,
        _ => Mapped::Torn,
    }
}

/// The pages of the list of free ones, where that is whole.
fn free(pages: &Pages) -> Option<HashSet<u32>> {
    let first = pages.get(1)?;
    if !first.starts_with(b"SQLite format 3\0") {
        return None;
    }
    let (mut trunk, count) = (word(&first[..], 32), word(&first[..], 36) as usize);
    let mut free = HashSet::new();
    while trunk != 0 {
        let page = pages.get(trunk)?;
        let leaves = word(&page[..], 4) as usize;
        if !free.insert(trunk) || leaves > 4096 / 4 - 2 {
            return None;
        }
        free.extend((0..leaves).map(|nth| word(&page[..], 8 + 4 * nth)));
        trunk = word(&page[..], 0);
    }
    (free.len() == count).then_some(free)
}
