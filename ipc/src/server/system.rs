//! What a server does for its clients beside its objects.

use super::Server;
use super::caller::Ticket;
use crate::message::MsgBuf;
use crate::wire::head::{RowName, Status};
use crate::wire::system::SystemCall;

impl Server {
    /// Answers a call of the entrypoint itself; `message` is the request.
    #[cold]
    pub(super) fn serve_system(&mut self, ticket: Ticket, message: &mut MsgBuf) {
        let call = SystemCall::decode(message.opcode(), message.data());
        message.clear();
        let status = match call.and_then(|call| self.carry_out(call, ticket.port, message)) {
            Some(()) => Status::Answered,
            None => Status::InvalidCapability,
        };
        let _ = self.finish(ticket, status, Some(message));
        message.clear();
    }

    /// `reply` is empty, and stays so if there is no answer.
    fn carry_out(&mut self, call: SystemCall, caller: RowName, reply: &mut MsgBuf) -> Option<()> {
        match call {
            SystemCall::Fold(token) => {
                // For once: whoever comes first has it.
                let portal = self.ports.get_mut(self.tokens.remove(&token)?)?;
                (portal.token, portal.way_home) = (None, None);
                let badge = portal.rows().get(RowName::FIRST)?.badge()?;
                reply.push(self.ledger.capability(badge)).ok()
            }
            SystemCall::Name(row) => {
                let badge = self.ports.get(caller)?.rows().get(row)?.badge()?;
                reply.write(&self.home.name(badge).encode()).ok()
            }
        }
    }
}
