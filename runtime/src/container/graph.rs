//! [`Graph`]: who needs whom, before anything is made.

use std::any::TypeId;
use std::collections::{HashMap, HashSet, VecDeque};

use super::Part;
use super::error::Problem;

/// Parts by their places in the order of registration, and who needs whom.
pub(super) struct Graph<'a> {
    parts: &'a [Part],
    /// Of those of one type, the first.
    places: HashMap<TypeId, usize>,
    /// Whom each needs, as far as it is there.
    needs: Vec<Vec<usize>>,
    needed_by: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(parts: &'a [Part]) -> Self {
        let mut places = HashMap::new();
        for (place, part) in parts.iter().enumerate() {
            places.entry(part.key.id).or_insert(place);
        }
        let mut needed_by = vec![Vec::new(); parts.len()];
        let mut needs = Vec::with_capacity(parts.len());
        for (place, part) in parts.iter().enumerate() {
            let found = part.needs.iter().filter_map(|need| places.get(&need.id));
            let found: Vec<usize> = found.copied().collect();
            for &need in &found {
                if let Some(by) = needed_by.get_mut(need) {
                    by.push(place);
                }
            }
            needs.push(found);
        }
        Self {
            parts,
            places,
            needs,
            needed_by,
        }
    }

    /// All that is wrong, in the order of registration.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let missing = self.missing();
        missing
            .into_iter()
            .chain(self.duplicates())
            .chain(self.cycles())
            .collect()
    }

    fn missing(&self) -> Vec<Problem> {
        let mut missing: Vec<(TypeId, &'static str, Vec<Vec<&'static str>>)> = Vec::new();
        for (place, part) in self.parts.iter().enumerate() {
            for need in &part.needs {
                if self.places.contains_key(&need.id) {
                    continue;
                }
                let chain = self.chain(place);
                match missing.iter_mut().find(|(id, ..)| *id == need.id) {
                    // Who needs it twice is told of once.
                    Some((_, _, chains)) if chains.contains(&chain) => {}
                    Some((_, _, chains)) => chains.push(chain),
                    None => missing.push((need.id, need.name, vec![chain])),
                }
            }
        }
        let problem = |(_, name, chains)| Problem::Missing { name, chains };
        missing.into_iter().map(problem).collect()
    }

    fn duplicates(&self) -> Vec<Problem> {
        let firsts = self.parts.iter().enumerate();
        let firsts = firsts.filter(|(place, part)| self.places.get(&part.key.id) == Some(place));
        firsts
            .filter_map(|(_, first)| {
                let same = self.parts.iter().filter(|part| part.key.id == first.key.id);
                let at: Vec<_> = same.map(|part| part.at).collect();
                let name = first.key.name;
                (at.len() > 1).then_some(Problem::Duplicate { name, at })
            })
            .collect()
    }

    /// One circle of each knot of parts that can all be reached from each other.
    fn cycles(&self) -> Vec<Problem> {
        let mut told = HashSet::new();
        let mut cycles = Vec::new();
        for place in 0..self.parts.len() {
            if told.contains(&place) {
                continue;
            }
            if let Some(path) = path(&self.needs, place, |at| self.needs_of(at).contains(&place)) {
                // What is in the same knot is told of by this circle.
                let knot = (0..self.parts.len()).filter(|&other| {
                    path_to(&self.needs, place, other) && path_to(&self.needs, other, place)
                });
                told.extend(knot);
                let mut chain = self.names(&path);
                chain.extend(self.names(&[place]));
                cycles.push(Problem::Cycle { chain });
            }
        }
        cycles
    }

    fn needs_of(&self, place: usize) -> &[usize] {
        self.needs.get(place).map_or(&[], Vec::as_slice)
    }

    /// From a part that nobody needs to this one, or from this one itself where there is none.
    fn chain(&self, place: usize) -> Vec<&'static str> {
        let is_root = |at: usize| self.needed_by.get(at).is_none_or(Vec::is_empty);
        let mut path = path(&self.needed_by, place, is_root).unwrap_or_else(|| vec![place]);
        path.reverse();
        self.names(&path)
    }

    fn names(&self, path: &[usize]) -> Vec<&'static str> {
        let parts = path.iter().filter_map(|&place| self.parts.get(place));
        parts.map(|part| part.key.name).collect()
    }

    /// All parts, each after those that it needs. Only for a graph without problems.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let free = waiting.iter().enumerate().filter(|(_, needs)| **needs == 0);
        let mut ready: VecDeque<usize> = free.map(|(place, _)| place).collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(place) = ready.pop_front() {
            order.push(place);
            for &by in self.needed_by.get(place).into_iter().flatten() {
                if let Some(needs) = waiting.get_mut(by) {
                    *needs -= 1;
                    if *needs == 0 {
                        ready.push_back(by);
                    }
                }
            }
        }
        order
    }
}

/// The shortest way along `edges` from `start` to where it ends; `start` itself may be the end.
fn path(edges: &[Vec<usize>], start: usize, is_end: impl Fn(usize) -> bool) -> Option<Vec<usize>> {
    let mut before: HashMap<usize, usize> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        if is_end(at) {
            let mut path = vec![at];
            let mut at = at;
            while let (true, Some(&previous)) = (at != start, before.get(&at)) {
                path.push(previous);
                at = previous;
            }
            path.reverse();
            return Some(path);
        }
        for &next in edges.get(at).into_iter().flatten() {
            if next != start && !before.contains_key(&next) {
                before.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}

fn path_to(edges: &[Vec<usize>], from: usize, to: usize) -> bool {
    path(edges, from, |at| at == to).is_some()
}
