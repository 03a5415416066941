//! `$((…))`.

use brush_parser::arithmetic;
use brush_parser::ast::{
    ArithmeticExpr, ArithmeticTarget, BinaryOperator, UnaryAssignmentOperator, UnaryOperator,
};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Shell, Stop};

impl Shell {
    /// The value of an arithmetic expression; a mistake in it ends the script, as in ash.
    pub(super) async fn arithmetic(&mut self, text: &str) -> Result<i64, Stop> {
        let text = self
            .one_string(&format!("\"{}\"", text.replace('"', "")))
            .await?;
        let Ok(expression) = arithmetic::parse(&text) else {
            self.complain("arithmetic syntax error").await;
            return Err(Stop::Exit(2));
        };
        self.compute(&expression).await
    }

    fn compute<'a>(
        &'a mut self,
        expression: &'a ArithmeticExpr,
    ) -> BoxFuture<'a, Result<i64, Stop>> {
        async move {
            match expression {
                ArithmeticExpr::Literal(value) => Ok(*value),
                ArithmeticExpr::Reference(target) => self.number(target).await,
                ArithmeticExpr::UnaryOp(operator, operand) => {
                    let value = self.compute(operand).await?;
                    Ok(match operator {
                        UnaryOperator::UnaryPlus => value,
                        UnaryOperator::UnaryMinus => value.wrapping_neg(),
                        UnaryOperator::BitwiseNot => !value,
                        UnaryOperator::LogicalNot => i64::from(value == 0),
                    })
                }
                ArithmeticExpr::BinaryOp(BinaryOperator::LogicalAnd, left, right) => Ok(i64::from(
                    self.compute(left).await? != 0 && self.compute(right).await? != 0,
                )),
                ArithmeticExpr::BinaryOp(BinaryOperator::LogicalOr, left, right) => Ok(i64::from(
                    self.compute(left).await? != 0 || self.compute(right).await? != 0,
                )),
                ArithmeticExpr::BinaryOp(operator, left, right) => {
                    let left = self.compute(left).await?;
                    let right = self.compute(right).await?;
                    self.combine(*operator, left, right).await
                }
                ArithmeticExpr::Conditional(condition, then, other) => {
                    let chosen = if self.compute(condition).await? != 0 {
                        then
                    } else {
                        other
                    };
                    self.compute(chosen).await
                }
                ArithmeticExpr::Assignment(target, value) => {
                    let value = self.compute(value).await?;
                    self.store(target, value).await
                }
                ArithmeticExpr::BinaryAssignment(operator, target, operand) => {
                    let left = self.number(target).await?;
                    let right = self.compute(operand).await?;
                    let value = self.combine(*operator, left, right).await?;
                    self.store(target, value).await
                }
                ArithmeticExpr::UnaryAssignment(operator, target) => {
                    let before = self.number(target).await?;
                    let (change, after) = match operator {
                        UnaryAssignmentOperator::PrefixIncrement => (1, true),
                        UnaryAssignmentOperator::PrefixDecrement => (-1, true),
                        UnaryAssignmentOperator::PostfixIncrement => (1, false),
                        UnaryAssignmentOperator::PostfixDecrement => (-1, false),
                    };
                    let now = self.store(target, before.wrapping_add(change)).await?;
                    Ok(if after { now } else { before })
                }
            }
        }
        .boxed()
    }

    async fn number(&mut self, target: &ArithmeticTarget) -> Result<i64, Stop> {
        let ArithmeticTarget::Variable(name) = target else {
            self.complain("arithmetic syntax error").await;
            return Err(Stop::Exit(2));
        };
        let Some(text) = self.get(name).map(str::to_owned) else {
            if self.options.nounset {
                self.complain(&format!("{name}: parameter not set")).await;
                return Err(Stop::Exit(2));
            }
            return Ok(0);
        };
        match arithmetic::parse(text.trim()) {
            Ok(ArithmeticExpr::Reference(ArithmeticTarget::Variable(other))) if other == *name => {
                Ok(0)
            }
            Ok(expression) => self.compute(&expression).await,
            Err(_) => {
                self.complain("arithmetic syntax error").await;
                Err(Stop::Exit(2))
            }
        }
    }

    async fn store(&mut self, target: &ArithmeticTarget, value: i64) -> Result<i64, Stop> {
        if let ArithmeticTarget::Variable(name) = target {
            self.assign(name, value.to_string()).await?;
        }
        Ok(value)
    }

    async fn combine(
        &mut self,
        operator: BinaryOperator,
        left: i64,
        right: i64,
    ) -> Result<i64, Stop> {
        let shift = u32::try_from(right & 63).unwrap_or(0);
        Ok(match operator {
            BinaryOperator::Divide | BinaryOperator::Modulo if right == 0 => {
                self.complain("divide by zero").await;
                return Err(Stop::Exit(2));
            }
            BinaryOperator::Divide => left.wrapping_div(right),
            BinaryOperator::Modulo => left.wrapping_rem(right),
            BinaryOperator::Power => left.wrapping_pow(u32::try_from(right).unwrap_or(0)),
            BinaryOperator::Multiply => left.wrapping_mul(right),
            BinaryOperator::Comma => right,
            BinaryOperator::Add => left.wrapping_add(right),
            BinaryOperator::Subtract => left.wrapping_sub(right),
            BinaryOperator::ShiftLeft => left.wrapping_shl(shift),
            BinaryOperator::ShiftRight => left.wrapping_shr(shift),
            BinaryOperator::LessThan => i64::from(left < right),
            BinaryOperator::LessThanOrEqualTo => i64::from(left <= right),
            BinaryOperator::GreaterThan => i64::from(left > right),
            BinaryOperator::GreaterThanOrEqualTo => i64::from(left >= right),
            BinaryOperator::Equals => i64::from(left == right),
            BinaryOperator::NotEquals => i64::from(left != right),
            BinaryOperator::BitwiseAnd => left & right,
            BinaryOperator::BitwiseXor => left ^ right,
            BinaryOperator::BitwiseOr => left | right,
            BinaryOperator::LogicalAnd => i64::from(left != 0 && right != 0),
            BinaryOperator::LogicalOr => i64::from(left != 0 || right != 0),
        })
    }
}
