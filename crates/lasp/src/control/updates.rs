//! Updates of clients: read, applied, and waited for on their terms.

use super::answers::{Answers, elsewhere, failed};
use super::protocol::{Refused, Style, Terms, UpdateReport};
use super::sessions::{failed_in, session};
use lasp_dataflow::{Op, Type, VarId};
use lasp_lang::diagnostic::render_all;
use lasp_overlay::PeerId;
use std::time::Duration;

impl Answers {
    /// Applies an operation.
    pub(crate) async fn update(
        &self,
        name: &str,
        operation: String,
        declare: Option<String>,
        style: Style,
    ) -> Result<(), Refused> {
        let (var, op) = self.prepared(name, operation, declare, style).await?;
        self.lasp.update(var, op).await.map_err(failed)
    }

    /// Applies an operation, and waits for what the terms say. Where that does not come in time, the report tells.
    pub(crate) async fn update_on(
        &self,
        name: &str,
        operation: String,
        declare: Option<String>,
        terms: &Terms,
        style: Style,
    ) -> Result<UpdateReport, Refused> {
        let Terms { acknowledged_by, within_ms, session: token } = terms;
        let mut session = token.as_ref().map(|token| session(token, *within_ms)).transpose()?;
        if let Some(session) = &session {
            session.enter(&self.lasp).await.map_err(failed_in)?;
        }
        let (var, op) = self.prepared(name, operation, declare, style).await?;
        let (wanted, within) = (*acknowledged_by as usize, Duration::from_millis(*within_ms));
        let update = self.lasp.update_acknowledged(var, op, wanted, within);
        let told = match &mut session {
            None => update.await,
            Some(session) => session.acknowledged(update).await,
        };
        let told = told.map_err(failed_in)?;
        Ok(UpdateReport {
            acknowledged_by: told.by.iter().map(PeerId::to_string).collect(),
            wanted: told.wanted as u64,
            known: told.known as u64,
            session: session.map(|session| session.to_string()),
        })
    }

    /// The variable, declared if that is wanted, and the operation.
    async fn prepared(
        &self,
        name: &str,
        operation: String,
        declare: Option<String>,
        style: Style,
    ) -> Result<(VarId, Op), Refused> {
        let wanted = declare.map(|ty| read_type(&ty)).transpose()?;
        let (ty, known) = match (self.find(name).await, wanted) {
            (Ok(found), None) => (found.ty, Some(found.var)),
            (Ok(found), Some(ty)) if found.ty == ty => (ty, Some(found.var)),
            (Ok(_), Some(ty)) => {
                let var = self.lasp.declare(name, ty.clone()).await.map_err(failed)?; // it says which type it has
                (ty, Some(var))
            }
            (Err(_), Some(ty)) => (ty, None),
            (Err(unknown), None) => return Err(unknown),
        };
        // An operation with errors declares nothing.
        let of = ty.clone();
        let op = elsewhere(move || read_operation(&of, &operation, style)).await??;
        let var = match known {
            Some(var) => var,
            None => self.lasp.declare(name, ty).await.map_err(failed)?,
        };
        Ok((var, op))
    }
}

fn read_type(text: &str) -> Result<Type, Refused> {
    lasp_lang::operation::type_from(text).map_err(|(source, diagnostics)| Refused {
        rejected: true,
        message: render_all(&diagnostics, &source, false),
        hint: None,
    })
}

fn read_operation(ty: &Type, text: &str, style: Style) -> Result<Op, Refused> {
    lasp_lang::operation::operation(ty, text).map_err(|(source, diagnostics)| Refused {
        rejected: true,
        message: render_all(&diagnostics, &source, style.color),
        hint: None,
    })
}
