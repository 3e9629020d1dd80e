-- What a loss is divided by to lie in [0,1]: `bound` is so divided, `mean_loss` and `block_mean_loss` are not. 0 = an alarm kept before this
-- column was: what one unit is in the other is not known then.
ALTER TABLE alarm ADD COLUMN loss_scale DOUBLE PRECISION NOT NULL DEFAULT 0;
