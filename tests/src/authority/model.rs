//! The reference: which objects there are, who holds what, and so who may invoke what. It does nothing but think.

use super::op::{ACTORS, Action, Actor, Failure, Holding, Object, Op, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// What becomes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Lives,
    Dissolved,
    /// Its process has ended.
    Gone,
}

#[derive(Clone, Copy, Debug)]
struct Thing {
    owner: Actor,
    fate: Fate,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    holder: Actor,
    object: Object,
    /// Which of all the gifts it is, if it was given and not made. Copies are the same gift.
    gift: Option<Holding>,
}

/// What an entrypoint may hold for its clients, beside what it holds for whoever started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Objects, exactly.
    pub objects: u64,
    /// Rows: one at least for each process that holds an object, one at most for each capability that was given to another
    /// process. What comes home takes none.
    pub rows: RangeInclusive<u64>,
    /// Channels, at most: one for each capability that was given to another process.
    pub channels: u64,
}

/// All authority in a number of processes.
#[derive(Clone, Debug)]
pub struct Model {
    processes: usize,
    objects: BTreeMap<Object, Thing>,
    holdings: BTreeMap<Holding, Held>,
}

/// Where a call gets to.
enum Arrival {
    /// The object that does what is asked for, and everybody who waits meanwhile.
    There(Object, Vec<Actor>),
    /// Nowhere, for one of these reasons.
    Failed(Vec<Failure>),
}

impl Model {
    /// So many processes, and nothing in them.
    #[must_use]
    pub fn new(processes: usize) -> Model {
        Model { processes, objects: BTreeMap::new(), holdings: BTreeMap::new() }
    }

    /// Everybody.
    pub fn actors(&self) -> impl Iterator<Item = Actor> + use<> {
        (0..self.processes * ACTORS).map(Actor)
    }

    /// All that is held, by whom.
    pub fn holdings(&self) -> impl Iterator<Item = (Holding, Actor)> {
        self.holdings.iter().map(|(holding, held)| (*holding, held.holder))
    }

    /// The objects that live, and whose they are.
    pub fn objects(&self) -> impl Iterator<Item = (Object, Actor)> {
        let live = self.objects.iter().filter(|(_, thing)| thing.fate == Fate::Lives);
        live.map(|(object, thing)| (*object, thing.owner))
    }

    /// Who has it, and to which object.
    #[must_use]
    pub fn holder(&self, holding: Holding) -> Option<(Actor, Object)> {
        self.holdings.get(&holding).map(|held| (held.holder, held.object))
    }

    /// Whose object a holding leads to, and whether that lives.
    #[must_use]
    pub fn behind(&self, holding: Holding) -> Option<(Actor, bool)> {
        let held = self.holdings.get(&holding)?;
        self.objects.get(&held.object).map(|thing| (thing.owner, thing.fate == Fate::Lives))
    }

    /// Carries an operation out, and answers what may come of it: one of these. If success is among them, it stands
    /// first and is what was carried out. `None` if the operation speaks of what is not there.
    pub fn apply(&mut self, op: &Op) -> Option<Vec<Outcome>> {
        match op {
            Op::Create { actor, object, holding } => {
                self.objects.insert(*object, Thing { owner: *actor, fate: Fate::Lives });
                let held = Held { holder: *actor, object: *object, gift: None };
                self.holdings.insert(*holding, held);
                done()
            }
            Op::Copy { actor, from, to } => {
                let held = self.held(*actor, *from)?;
                self.holdings.insert(*to, held);
                done()
            }
            Op::Drop { actor, holding } => {
                self.held(*actor, *holding)?;
                self.holdings.remove(holding);
                done()
            }
            Op::Call { actor, route, action } => self.call(*actor, route, action),
            Op::Carry { from, what, to, holding } => {
                let held = self.held(*from, *what)?;
                let failures = self.refusals(held.object, &[*from, *to]);
                self.give(held.object, *to, *holding);
                Some(either(Outcome::Done, failures))
            }
            Op::Dissolve { actor, object } => {
                let thing = self.objects.get_mut(object)?;
                if thing.owner != *actor || thing.fate != Fate::Lives {
                    return None;
                }
                thing.fate = Fate::Dissolved;
                done()
            }
            Op::End { process, .. } => {
                self.holdings.retain(|_, held| held.holder.process() != *process);
                let things = self.objects.values_mut();
                things
                    .filter(|thing| thing.owner.process() == *process)
                    .for_each(|thing| thing.fate = Fate::Gone);
                done()
            }
            Op::Settle => done(),
            Op::Sweep => {
                self.holdings.clear();
                self.objects.clear();
                done()
            }
        }
    }

    /// The operation was refused where it might have succeeded: nobody got anything.
    pub fn retract(&mut self, op: &Op) {
        let given = match op {
            Op::Carry { holding, .. } => vec![*holding],
            Op::Call { action: Action::Take(taken), .. } => {
                taken.iter().map(|(_, holding)| *holding).collect()
            }
            Op::Call { action: Action::Hand(_, holding), .. } => vec![*holding],
            _ => Vec::new(),
        };
        for holding in given {
            self.holdings.remove(&holding);
        }
    }

    /// What an entrypoint may hold for others.
    #[must_use]
    pub fn bounds(&self, actor: Actor) -> Bounds {
        let (mut holders, mut gifts) = (BTreeSet::new(), BTreeSet::new());
        for held in self.holdings.values() {
            let Some(thing) = self.objects.get(&held.object) else { continue };
            if thing.owner != actor || thing.fate == Fate::Gone {
                continue;
            }
            if held.holder.process() == actor.process() {
                continue;
            }
            gifts.extend(held.gift);
            if thing.fate == Fate::Lives {
                holders.insert((held.object, held.holder.process()));
            }
        }
        let objects = self.objects().filter(|(_, owner)| *owner == actor).count() as u64;
        let gifts = gifts.len() as u64;
        Bounds { objects, rows: holders.len() as u64..=gifts, channels: gifts }
    }

    fn call(&mut self, actor: Actor, route: &[Holding], action: &Action) -> Option<Vec<Outcome>> {
        let arrival = self.follow(actor, route)?;
        // What is to be given is looked up in any case: who does not have it cannot even try.
        let taken = match action {
            Action::Take(taken) => {
                let held = taken.iter().map(|(what, _)| self.held(actor, *what).map(|held| held.object));
                held.collect::<Option<Vec<_>>>()?
            }
            _ => Vec::new(),
        };
        let (object, chain) = match arrival {
            Arrival::There(object, chain) => (object, chain),
            // An argument may be refused before it is found that the call would have led nowhere.
            Arrival::Failed(mut failures) => {
                let dissolved =
                    |object| self.objects.get(object).is_some_and(|thing| thing.fate.is_dissolved());
                if taken.iter().any(dissolved) {
                    failures.push(Failure::InvalidCapability);
                }
                return Some(failures.into_iter().map(Outcome::Failed).collect());
            }
        };
        let owner = *chain.last()?;
        let (success, failures) = match action {
            Action::Identify => (Outcome::Answered(object), Vec::new()),
            Action::Dissolve => {
                self.objects.get_mut(&object)?.fate = Fate::Dissolved;
                (Outcome::Answered(object), Vec::new())
            }
            Action::Take(holdings) => {
                let failures = taken.iter().flat_map(|taken| self.refusals(*taken, &chain)).collect();
                for (object, (_, holding)) in taken.iter().zip(holdings) {
                    self.give(*object, owner, *holding);
                }
                (Outcome::Done, failures)
            }
            Action::Hand(what, holding) => {
                let handed = self.held(owner, *what)?.object;
                let failures = self.refusals(handed, &chain);
                self.give(handed, actor, *holding);
                (Outcome::Done, failures)
            }
        };
        Some(either(success, failures))
    }

    /// Follows a call from one to the next.
    fn follow(&self, actor: Actor, route: &[Holding]) -> Option<Arrival> {
        let mut chain = vec![actor];
        let mut object = None;
        for stop in route {
            let caller = *chain.last()?;
            let held = self.held(caller, *stop)?;
            let thing = self.objects.get(&held.object)?;
            if thing.fate == Fate::Gone {
                return Some(Arrival::Failed(vec![Failure::Disconnected]));
            }
            if chain.contains(&thing.owner) {
                let mut failures = vec![Failure::CallCycle];
                if thing.fate.is_dissolved() {
                    failures.extend([Failure::InvalidCapability, Failure::Disconnected]);
                }
                return Some(Arrival::Failed(failures));
            }
            if thing.fate.is_dissolved() {
                return Some(Arrival::Failed(vec![Failure::InvalidCapability, Failure::Disconnected]));
            }
            chain.push(thing.owner);
            object = Some(held.object);
        }
        object.map(|object| Arrival::There(object, chain))
    }

    /// By which errors the object may be refused when it passes through these hands: its own entrypoint may know it
    /// for dissolved.
    fn refusals(&self, object: Object, hands: &[Actor]) -> Vec<Failure> {
        let refused = self
            .objects
            .get(&object)
            .is_some_and(|thing| thing.fate.is_dissolved() && hands.contains(&thing.owner));
        if refused { vec![Failure::InvalidCapability] } else { Vec::new() }
    }

    fn held(&self, actor: Actor, holding: Holding) -> Option<Held> {
        self.holdings.get(&holding).copied().filter(|held| held.holder == actor)
    }

    fn give(&mut self, object: Object, holder: Actor, holding: Holding) {
        self.holdings.insert(holding, Held { holder, object, gift: Some(holding) });
    }
}

impl Fate {
    fn is_dissolved(self) -> bool {
        self == Fate::Dissolved
    }
}

fn done() -> Option<Vec<Outcome>> {
    Some(vec![Outcome::Done])
}

fn either(success: Outcome, failures: Vec<Failure>) -> Vec<Outcome> {
    std::iter::once(success).chain(failures.into_iter().map(Outcome::Failed)).collect()
}

#[cfg(test)]
mod tests;
