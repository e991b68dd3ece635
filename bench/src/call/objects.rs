//! Calls to many objects of one entrypoint.

use super::pair::{Calls, Placement};
use crate::alternation::{Comparison, Plan, Side, compare};
use crate::component::interface::{Echo, Factory};
use crate::cores::{Bound, Cores};
use crate::error::Error;
use crate::process::{Process, Program, SharedMemory};
use portcullis_ipc::Doorbell;
use portcullis_rpc::Client;

/// How many objects there are.
pub(crate) const MANY: usize = 1_000_000;
/// How many of them the floor calls.
const FEW: usize = 10;

/// Calls to random ones of some objects.
struct RandomCalls<'a> {
    objects: &'a mut [Client<dyn Echo>],
    random: u64,
}

impl<'a> RandomCalls<'a> {
    fn new(objects: &'a mut [Client<dyn Echo>]) -> RandomCalls<'a> {
        RandomCalls { objects, random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The next object: xorshift (Marsaglia 2003), brought into range by a multiplication.
    #[inline]
    fn next(&mut self) -> Option<&mut Client<dyn Echo>> {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let index = (u128::from(self.random) * self.objects.len() as u128) >> 64;
        self.objects.get_mut(usize::try_from(index).unwrap_or(usize::MAX))
    }
}

impl Side for RandomCalls<'_> {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        let object = self.next().ok_or(Error::Misunderstood("an object"))?;
        Ok(object.echo(&[]).map(drop)?)
    }
}

/// A server with a million objects, all of them ours to call, on two cores.
struct Crowd<'a> {
    server: Process,
    objects: Vec<Client<dyn Echo>>,
    _bound: Bound<'a>,
}

impl<'a> Crowd<'a> {
    fn start(program: &Program, cores: &'a Cores) -> Result<Crowd<'a>, Error> {
        let shared = SharedMemory::new()?;
        let server = Process::start(program, &shared, Doorbell::default())?;
        let bound = Placement::TwoCores.arrange(&server, cores)?;
        let mut objects = Vec::with_capacity(MANY);
        let mut factory = server.objects.factory.client();
        while objects.len() < MANY {
            objects.extend(factory.four()?.map(Client::new));
        }
        Ok(Crowd { server, objects, _bound: bound })
    }

    /// A few of them, from all over.
    fn few(&self) -> Vec<Client<dyn Echo>> {
        self.objects.iter().step_by(MANY / FEW).take(FEW).cloned().collect()
    }
}

/// Calls to random ones of all, beside calls to random ones of a few.
pub(crate) fn random(program: &Program, cores: &Cores, plan: Plan) -> Result<Comparison, Error> {
    let mut crowd = Crowd::start(program, cores)?;
    let mut few = crowd.few();
    compare(
        plan,
        &[&crowd.server],
        &mut RandomCalls::new(&mut crowd.objects),
        &mut RandomCalls::new(&mut few),
    )
}

/// Calls to one of a million, beside calls to random ones of a few.
pub(crate) fn one(program: &Program, cores: &Cores, plan: Plan) -> Result<Comparison, Error> {
    let crowd = Crowd::start(program, cores)?;
    let mut few = crowd.few();
    let one = crowd.objects.get(MANY / 3).ok_or(Error::Misunderstood("a million objects"))?;
    compare(plan, &[&crowd.server], &mut Calls::new(one.capability(), 0), &mut RandomCalls::new(&mut few))
}
