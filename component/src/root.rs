//! The root of a service: from what the parent asks to what the server's author has written.

use crate::budget::Budget;
use crate::env::Env;
use crate::error::Error;
use crate::protocol::{Request, Root, Session};
use crate::quota::Quota;
use crate::service::{Opening, Service, Sessions};
use portcullis_rpc::{Capability, Later, Serves};
use std::collections::BTreeMap;

/// The sessions of one service of this component.
pub(crate) struct RootObject<I: ?Sized, S> {
    server: S,
    env: Env,
    open: BTreeMap<u64, (Capability<I>, Budget)>,
}

impl<I, S> RootObject<I, S>
where
    I: ?Sized + Service + Serves<S::Session>,
    S: Sessions<I>,
{
    pub(crate) fn new(server: S, env: Env) -> Self {
        RootObject { server, env, open: BTreeMap::new() }
    }

    fn make(&mut self, request: Request) -> Result<Capability<dyn Session>, Error> {
        request.check()?;
        if self.open.contains_key(&request.number) {
            return Err(Error::NumberInUse);
        }
        let arguments = postcard::from_bytes(&request.arguments).map_err(|_| Error::BadArguments)?;
        let needs = self.server.needs(&arguments);
        let Some(left) = request.quota.checked_sub(needs) else {
            return Err(Error::insufficient(request.quota.missing_for(needs)));
        };
        let budget = Budget::new(left);
        let opening =
            Opening { label: request.label, arguments, budget: budget.clone(), env: self.env.clone() };
        let session = self.server.create(opening)?;
        let capability: Capability<I> = self.env.entrypoint().manage(session);
        let untyped = capability.untyped().clone();
        self.open.insert(request.number, (capability, budget));
        Ok(Capability::from_untyped(untyped))
    }

    fn raise(&mut self, number: u64, quota: Quota) -> Result<(), Error> {
        let (capability, budget) = self.open.get(&number).ok_or(Error::UnknownSession)?;
        if !budget.raise(quota) {
            return Err(Error::NotGranted);
        }
        let server = &mut self.server;
        Ok(self.env.entrypoint().apply(capability, |session: &mut S::Session| server.upgraded(session))?)
    }

    fn end(&mut self, number: u64) -> Result<(), Error> {
        let (capability, _) = self.open.remove(&number).ok_or(Error::UnknownSession)?;
        let session = self.env.entrypoint().take(&capability)?;
        self.server.close(session);
        Ok(())
    }
}

impl<I, S> Root for RootObject<I, S>
where
    I: ?Sized + Service + Serves<S::Session>,
    S: Sessions<I>,
{
    fn create(&mut self, request: Request) -> Later<Result<Capability<dyn Session>, Error>> {
        Later::ready(self.make(request))
    }

    fn upgrade(&mut self, number: u64, quota: Quota) -> Later<Result<(), Error>> {
        Later::ready(self.raise(number, quota))
    }

    fn close(&mut self, number: u64) -> Later<Result<(), Error>> {
        Later::ready(self.end(number))
    }
}
