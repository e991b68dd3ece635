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
    open: BTreeMap<u64, Open<I>>,
}

struct Open<I: ?Sized> {
    session: Capability<I>,
    budget: Budget,
    /// All that was donated.
    donated: Quota,
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
        let donated = request.quota;
        let budget = Budget::new(left);
        let opening =
            Opening { label: request.label, arguments, budget: budget.clone(), env: self.env.clone() };
        self.env.uplink().is_entrusted(donated);
        let session = self.server.create(opening).inspect_err(|_| self.env.uplink().returns(donated))?;
        let session: Capability<I> = self.env.entrypoint().manage(session);
        let untyped = session.untyped().clone();
        self.open.insert(request.number, Open { session, budget, donated });
        Ok(Capability::from_untyped(untyped))
    }

    fn raise(&mut self, number: u64, quota: Quota) -> Result<(), Error> {
        let open = self.open.get_mut(&number).ok_or(Error::UnknownSession)?;
        let donated = open.donated.checked_add(quota).ok_or(Error::NotGranted)?;
        if !open.budget.raise(quota) {
            return Err(Error::NotGranted);
        }
        open.donated = donated;
        self.env.uplink().is_entrusted(quota);
        let server = &mut self.server;
        let apply = |session: &mut S::Session| server.upgraded(session);
        Ok(self.env.entrypoint().apply(&open.session, apply)?)
    }

    fn end(&mut self, number: u64) -> Result<(), Error> {
        let open = self.open.remove(&number).ok_or(Error::UnknownSession)?;
        self.env.uplink().returns(open.donated);
        let session = self.env.entrypoint().take(&open.session)?;
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
