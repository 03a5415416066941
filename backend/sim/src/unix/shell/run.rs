//! Lists, pipelines and compound commands.

use std::sync::Arc;

use brush_parser::ast::{
    AndOr, AndOrList, CaseClauseCommand, CaseItemPostAction, Command, CompoundCommand,
    CompoundList, DoGroupCommand, ForClauseCommand, IfClauseCommand, Pipeline, RedirectList,
    SeparatorOperator,
};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};

use super::{Flow, Shell, Stop};
use crate::unix::fd::Fd;
use crate::unix::glob;

/// How one turn of a loop went.
enum Turn {
    /// `break`.
    Leave,
    /// `continue`.
    Next,
    /// The list came to its end with this status.
    Ended(i32),
}

impl Shell {
    pub(super) fn list<'a>(&'a mut self, list: &'a CompoundList) -> BoxFuture<'a, Flow> {
        async move {
            for item in &list.0 {
                match item.1 {
                    SeparatorOperator::Async => self.background(&item.0),
                    SeparatorOperator::Sequence => {
                        self.and_or(&item.0).await?;
                    }
                }
            }
            Ok(self.status)
        }
        .boxed()
    }

    pub(super) async fn and_or(&mut self, list: &AndOrList) -> Flow {
        let mut pipeline = &list.first;
        let mut following = list.additional.iter();
        loop {
            let last = following.as_slice().is_empty();
            self.tested += u32::from(!last);
            let flow = self.pipeline(pipeline).await;
            self.tested -= u32::from(!last);
            let status = flow?;
            // The next one whose operator fits the status; the others are skipped.
            let next = following.find_map(|next| match next {
                AndOr::And(pipeline) if status == 0 => Some(pipeline),
                AndOr::Or(pipeline) if status != 0 => Some(pipeline),
                _ => None,
            });
            match next {
                Some(next) => pipeline = next,
                None => return Ok(status),
            }
        }
    }

    async fn pipeline(&mut self, pipeline: &Pipeline) -> Flow {
        if self.options.noexec {
            return Ok(0);
        }
        self.tested += u32::from(pipeline.bang);
        let flow = match pipeline.seq.as_slice() {
            [single] => self.command(single).await,
            stages => Ok(self.stages(stages).await),
        };
        self.tested -= u32::from(pipeline.bang);
        let mut status = flow?;
        if pipeline.bang {
            status = i32::from(status == 0);
        }
        self.status = status;
        let decides = match pipeline.seq.as_slice() {
            [Command::Compound(compound, _)] => matches!(compound, CompoundCommand::Subshell(_)),
            [Command::Function(_)] => false,
            _ => true,
        };
        if status != 0 && decides && self.options.errexit && self.tested == 0 && !pipeline.bang {
            return Err(Stop::Exit(status));
        }
        Ok(status)
    }

    /// Runs the stages of a pipeline side by side, each in a subshell.
    async fn stages(&mut self, stages: &[Command]) -> i32 {
        let mut running: Vec<BoxFuture<'_, i32>> = Vec::new();
        let mut input = None;
        for (number, command) in stages.iter().enumerate() {
            let mut shell = self.subshell();
            if let Some(input) = input.take() {
                shell.fds.set(0, input);
            }
            if number + 1 < stages.len() {
                let (reader, writer) = Fd::pipe();
                shell.fds.set(1, writer);
                input = Some(reader);
            }
            // The shell, and with it its end of the pipe, is dropped when its stage is over.
            running.push(
                async move {
                    let flow = shell.command(command).await;
                    shell.finish(flow).await
                }
                .boxed(),
            );
        }
        let codes = join_all(running).await;
        let last = codes.last().copied().unwrap_or(0);
        if self.options.pipefail {
            return codes.into_iter().rev().find(|code| *code != 0).unwrap_or(0);
        }
        last
    }

    pub(super) fn command<'a>(&'a mut self, command: &'a Command) -> BoxFuture<'a, Flow> {
        async move {
            let status = match command {
                Command::Simple(simple) => self.simple(simple).await?,
                Command::Compound(compound, redirects) => {
                    self.redirected(compound, redirects.as_ref()).await?
                }
                Command::Function(definition) => {
                    let body = Arc::new(definition.body.clone());
                    self.functions.insert(definition.fname.value.clone(), body);
                    0
                }
                Command::ExtendedTest(..) => {
                    // Not parsed as such in this dialect: `[[` is an ordinary command of ash.
                    self.complain("syntax error: unexpected \"[[\"").await;
                    return Err(Stop::Exit(2));
                }
            };
            self.status = status;
            Ok(status)
        }
        .boxed()
    }

    pub(super) async fn redirected(
        &mut self,
        compound: &CompoundCommand,
        redirects: Option<&RedirectList>,
    ) -> Flow {
        let Some(redirects) = redirects else {
            return self.compound(compound).await;
        };
        let Some(fds) = self.redirect(redirects.0.iter()).await? else {
            return Ok(1);
        };
        let before = std::mem::replace(&mut self.fds, fds);
        let flow = self.compound(compound).await;
        self.fds = before;
        flow
    }

    async fn compound(&mut self, compound: &CompoundCommand) -> Flow {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list).await,
            CompoundCommand::Subshell(subshell) => {
                let mut shell = self.subshell();
                let flow = shell.list(&subshell.list).await;
                Ok(shell.finish(flow).await)
            }
            CompoundCommand::IfClause(clause) => self.if_clause(clause).await,
            CompoundCommand::WhileClause(clause) => self.repeat(&clause.0, true, &clause.1).await,
            CompoundCommand::UntilClause(clause) => self.repeat(&clause.0, false, &clause.1).await,
            CompoundCommand::ForClause(clause) => self.for_clause(clause).await,
            CompoundCommand::CaseClause(clause) => self.case_clause(clause).await,
            CompoundCommand::Arithmetic(_)
            | CompoundCommand::ArithmeticForClause(_)
            | CompoundCommand::Coprocess(_) => {
                self.complain("syntax error: not a command of a POSIX shell")
                    .await;
                Err(Stop::Exit(2))
            }
        }
    }

    /// Runs a list whose failure is looked at.
    async fn condition(&mut self, list: &CompoundList) -> Flow {
        self.tested += 1;
        let flow = self.list(list).await;
        self.tested -= 1;
        flow
    }

    async fn if_clause(&mut self, clause: &IfClauseCommand) -> Flow {
        if self.condition(&clause.condition).await? == 0 {
            return self.list(&clause.then).await;
        }
        for branch in clause.elses.iter().flatten() {
            let taken = match &branch.condition {
                Some(condition) => self.condition(condition).await? == 0,
                None => true,
            };
            if taken {
                return self.list(&branch.body).await;
            }
        }
        Ok(0)
    }

    async fn repeat(
        &mut self,
        condition: &CompoundList,
        while_zero: bool,
        body: &DoGroupCommand,
    ) -> Flow {
        let mut status = 0;
        loop {
            // A loop without anything to wait for must not keep others from running.
            tokio::task::yield_now().await;
            let tested = self.condition(condition).await;
            match Self::around(tested)? {
                Turn::Ended(code) if (code == 0) == while_zero => {}
                Turn::Ended(_) | Turn::Leave => return Ok(status),
                Turn::Next => continue,
            }
            let flow = self.list(&body.list).await;
            match Self::around(flow)? {
                Turn::Leave => return Ok(0),
                Turn::Next => status = 0,
                Turn::Ended(code) => status = code,
            }
        }
    }

    async fn for_clause(&mut self, clause: &ForClauseCommand) -> Flow {
        let values = match &clause.values {
            None => self.args.clone(),
            Some(words) => {
                let mut values = Vec::new();
                for word in words {
                    values.extend(self.fields(&word.value).await?);
                }
                values
            }
        };
        let mut status = 0;
        for value in values {
            self.assign(&clause.variable_name, value).await?;
            let flow = self.list(&clause.body.list).await;
            match Self::around(flow)? {
                Turn::Leave => return Ok(0),
                Turn::Next => status = 0,
                Turn::Ended(code) => status = code,
            }
        }
        Ok(status)
    }

    /// What a loop makes of the end of its condition or body.
    fn around(flow: Flow) -> Result<Turn, Stop> {
        match flow {
            Ok(status) => Ok(Turn::Ended(status)),
            Err(Stop::Break(levels)) if levels > 1 => Err(Stop::Break(levels - 1)),
            Err(Stop::Break(_)) => Ok(Turn::Leave),
            Err(Stop::Continue(levels)) if levels > 1 => Err(Stop::Continue(levels - 1)),
            Err(Stop::Continue(_)) => Ok(Turn::Next),
            Err(stop) => Err(stop),
        }
    }

    async fn case_clause(&mut self, clause: &CaseClauseCommand) -> Flow {
        let value = self.one_string(&clause.value.value).await?;
        let mut fall_through = false;
        for case in &clause.cases {
            let mut chosen = fall_through;
            for pattern in &case.patterns {
                chosen = chosen || glob::matches(&self.pattern(&pattern.value).await?, &value);
            }
            if !chosen {
                continue;
            }
            let status = match &case.cmd {
                Some(list) => self.list(list).await?,
                None => 0,
            };
            match case.post_action {
                CaseItemPostAction::ExitCase => return Ok(status),
                CaseItemPostAction::UnconditionallyExecuteNextCaseItem => fall_through = true,
                CaseItemPostAction::ContinueEvaluatingCases => fall_through = false,
            }
        }
        Ok(0)
    }
}
