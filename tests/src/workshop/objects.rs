//! The objects of a workshop.

use super::sieve::Mesh;
use super::{Counter, Gauge, Holdings, Journey, Position, Sieve, Switch, SwitchError, Workshop};
use portcullis_entrypoint::{Entrypoint, Error as EntrypointError, Revocable, WeakEntrypoint};
use portcullis_rpc::{Capability, Error, Later, Reply};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

/// What all objects of an entrypoint report to.
#[derive(Default)]
pub(super) struct Books {
    unreferenced: Cell<u64>,
    drops: Cell<u64>,
    drops_inside: Cell<u64>,
    /// Who waits for an answer.
    waiting: RefCell<Vec<Reply<Result<u64, Error>>>>,
    /// A handler of the workshop runs.
    inside: Cell<bool>,
}

impl Books {
    fn answer(&self, with: u64) -> u64 {
        let waiting = self.waiting.take();
        let count = waiting.len() as u64;
        waiting.into_iter().for_each(|reply| reply.answer(Ok(with)));
        count
    }
}

pub(super) struct Count {
    number: u64,
    sum: u64,
    entrypoint: WeakEntrypoint,
    books: Rc<Books>,
}

impl Counter for Count {
    fn add(&mut self, amount: u64) -> Result<u64, Error> {
        self.sum += amount;
        Ok(self.sum)
    }

    fn number(&mut self) -> Result<u64, Error> {
        Ok(self.number)
    }

    fn thread(&mut self) -> Result<String, Error> {
        Ok(format!("{:?}", std::thread::current().id()))
    }

    fn end(&mut self) -> Result<(), Error> {
        self.entrypoint.upgrade().ok_or(Error::Disconnected)?.dissolve_current();
        Ok(())
    }
}

impl Gauge for Count {
    fn reset(&mut self) -> Result<u64, Error> {
        Ok(std::mem::take(&mut self.sum))
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.books.drops.set(self.books.drops.get() + 1);
        if self.books.inside.get() {
            self.books.drops_inside.set(self.books.drops_inside.get() + 1);
        }
    }
}

pub(super) struct Toggle {
    position: Position,
    locked: bool,
}

impl Switch for Toggle {
    fn set(&mut self, position: Position) -> Result<Position, SwitchError> {
        if position == self.position {
            return Err(SwitchError::Already(position));
        }
        Ok(std::mem::replace(&mut self.position, position))
    }

    fn lock(&mut self, locked: bool) -> Result<(), SwitchError> {
        self.locked = locked;
        Ok(())
    }

    fn state(&mut self) -> Result<(Position, bool), SwitchError> {
        Ok((self.position, self.locked))
    }
}

pub(super) struct Master {
    entrypoint: WeakEntrypoint,
    books: Rc<Books>,
    stay: Vec<Capability<dyn Counter>>,
    kept: Option<Capability<dyn Counter>>,
    lent: Vec<Revocable<dyn Counter>>,
    visits: u64,
}

/// Marks, until it is dropped, that a method of the workshop runs.
struct Inside(Rc<Books>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.inside.set(false);
    }
}

impl Master {
    pub(super) fn new(entrypoint: &Entrypoint) -> Master {
        Master {
            entrypoint: entrypoint.downgrade(),
            books: Rc::default(),
            stay: Vec::new(),
            kept: None,
            lent: Vec::new(),
            visits: 0,
        }
    }

    fn enter(&self) -> Result<(Entrypoint, Inside), Error> {
        self.books.inside.set(true);
        Ok((self.entrypoint.upgrade().ok_or(Error::Disconnected)?, Inside(self.books.clone())))
    }

    fn count(&self, number: u64) -> Count {
        Count { number, sum: 0, entrypoint: self.entrypoint.clone(), books: self.books.clone() }
    }
}

impl Workshop for Master {
    fn holdings(&mut self) -> Result<Holdings, Error> {
        let (entrypoint, _inside) = self.enter()?;
        let usage = entrypoint.usage();
        Ok(Holdings {
            process: std::process::id(),
            objects: usage.objects,
            rows: usage.rows,
            unreferenced: self.books.unreferenced.get(),
            waiting: self.books.waiting.borrow().len() as u64,
            drops: self.books.drops.get(),
            drops_inside: self.books.drops_inside.get(),
        })
    }

    fn counter(&mut self, number: u64) -> Result<Capability<dyn Counter>, Error> {
        let (entrypoint, _inside) = self.enter()?;
        Ok(entrypoint.manage(self.count(number)))
    }

    fn counted(&mut self, number: u64) -> Result<Capability<dyn Counter>, Error> {
        let (entrypoint, _inside) = self.enter()?;
        Ok(entrypoint.manage_counted(self.count(number), |count: &mut Count, entrypoint| {
            count.books.unreferenced.set(count.books.unreferenced.get() + 1);
            count.books.answer(count.number);
            entrypoint.dissolve_current();
        }))
    }

    fn counters(&mut self, count: u64) -> Result<Option<Capability<dyn Counter>>, Error> {
        let (entrypoint, _inside) = self.enter()?;
        for number in 0..count {
            self.stay.push(entrypoint.manage(self.count(number)));
        }
        Ok(self.stay.last().cloned())
    }

    fn switch(&mut self) -> Result<Capability<dyn Switch>, Error> {
        let (entrypoint, _inside) = self.enter()?;
        Ok(entrypoint.manage(Toggle { position: Position::Left, locked: false }))
    }

    fn keep(&mut self, counter: Capability<dyn Counter>) -> Result<(), Error> {
        self.kept = Some(counter);
        Ok(())
    }

    fn add_to_kept(&mut self, amount: u64) -> Result<Option<u64>, Error> {
        self.kept.as_ref().map(|kept| kept.client().add(amount)).transpose()
    }

    fn give(&mut self) -> Result<Option<Capability<dyn Counter>>, Error> {
        Ok(self.kept.take())
    }

    fn apply(&mut self, counter: Capability<dyn Counter>, amount: u64) -> Result<u64, Error> {
        let (entrypoint, _inside) = self.enter()?;
        entrypoint.apply(&counter, |count: &mut Count| count.add(amount))?
    }

    fn apply_to_itself(&mut self, itself: Capability<dyn Workshop>) -> Result<bool, Error> {
        let (entrypoint, _inside) = self.enter()?;
        Ok(entrypoint.apply(&itself, |_: &mut Master| ()) == Err(EntrypointError::Busy))
    }

    fn dissolve(&mut self, counter: Capability<dyn Counter>) -> Result<bool, Error> {
        let (entrypoint, _inside) = self.enter()?;
        Ok(entrypoint.dissolve(&counter))
    }

    fn panic(&mut self) -> Result<(), Error> {
        let (_entrypoint, _inside) = self.enter()?;
        panic!("as the test wants")
    }

    fn wait(&mut self) -> Later<Result<u64, Error>> {
        let (later, reply) = Later::new();
        self.books.waiting.borrow_mut().push(reply);
        later
    }

    fn answer(&mut self, with: u64) -> Result<u64, Error> {
        Ok(self.books.answer(with))
    }

    fn abandon(&mut self) -> Result<u64, Error> {
        Ok(self.books.waiting.take().len() as u64)
    }

    fn lend(&mut self, counter: Capability<dyn Counter>) -> Result<Capability<dyn Counter>, Error> {
        let (entrypoint, _inside) = self.enter()?;
        let lent = Revocable::new(&entrypoint, counter);
        let given = lent.capability();
        self.lent.push(lent);
        Ok(given)
    }

    fn take_back(&mut self) -> Result<(), Error> {
        self.lent.clear();
        Ok(())
    }

    fn travel(&mut self, mut stations: Vec<Capability<dyn Workshop>>) -> Result<Journey, Error> {
        self.visits += 1;
        let left = stations.len() as u64;
        if stations.is_empty() {
            return Ok(Journey::Arrived);
        }
        let next = stations.remove(0);
        let start = Instant::now();
        match next.client().travel(stations) {
            Err(Error::CallCycle) => Ok(Journey::Cycle { left, after: start.elapsed() }),
            other => other,
        }
    }

    fn meet(
        &mut self,
        gate: Capability<dyn Workshop>,
        partner: Capability<dyn Workshop>,
    ) -> Result<Journey, Error> {
        gate.client().wait().get()?;
        self.travel(vec![partner])
    }

    fn visits(&mut self) -> Result<u64, Error> {
        Ok(self.visits)
    }

    fn gauge(&mut self, number: u64) -> Result<Capability<dyn Gauge>, Error> {
        let (entrypoint, _inside) = self.enter()?;
        Ok(entrypoint.manage(self.count(number)))
    }

    fn sieve(&mut self) -> Result<Capability<dyn Sieve>, Error> {
        let (entrypoint, _inside) = self.enter()?;
        Ok(entrypoint.manage(Mesh::default()))
    }
}
