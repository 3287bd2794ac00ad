/** `sluice product create | update | get | list` */
import { type Capitalisation, CAPITALISATIONS, type DayCount, DAY_COUNTS, type ProductChanged, type ProductInput, type RateTier } from '@sluice/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { minorUnits, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { firstOf, pageOf } from '../listing';
import { againText, type Output } from '../output';
import { PRODUCT_COLUMNS, productPairs } from './product-view';

const DEFAULT_SHOWN = 100;

interface TermsOptions {
  readonly name?: string;
  readonly rate?: readonly RateTier[];
  readonly debitRate?: number;
  readonly dayCount?: DayCount;
  readonly capitalise?: Capitalisation;
  readonly term?: Pick<ProductInput, 'termMonths' | 'termDays'>;
  readonly renews?: boolean;
  readonly requestId?: string;
}

export function addProductCommand(program: Command, surroundings: Surroundings): void {
  const product = program
    .command('product')
    .description('products: the terms by which an end of day charges interest and ends terms')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice product create savings --rate 250 --capitalise MONTHLY\n  sluice product create term-1y --rate 400 --term 12m --capitalise AT_MATURITY\n  sluice product list',
    );
  termsOptions(product.command('create'))
    .description('create a product')
    .argument('<product>', 'its code, as accounts name it')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice product create current --debit-rate 1900\n  sluice product create savings --rate 100 --rate 1000000=250 --capitalise QUARTERLY\n  sluice product create term-90 --rate 300 --term 90d --renews',
    )
    .action((productId: string, options: TermsOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => show(output, await client.products.create(termsOf(productId, options), options.requestId))),
    );
  termsOptions(product.command('update'))
    .description('change the terms of a product, from the next run that begins on; what is not given stays')
    .argument('<product>')
    .addHelpText('after', '\nExample:\n  sluice product update savings --rate 200')
    .action((productId: string, options: TermsOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const before = await client.products.get(productId);
        show(output, await client.products.update(termsOf(productId, options, before), options.requestId));
      }),
    );
  product
    .command('get')
    .description('show a product')
    .argument('<product>')
    .action((productId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.products.get(productId);
        output.thing(found, productPairs(found));
      }),
    );
  product
    .command('list')
    .description('list products by their codes')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .action(({ limit }: { readonly limit: number }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        output.table(await firstOf(limit, client.products.list(pageOf(limit))), PRODUCT_COLUMNS);
      }),
    );
}

function termsOptions(command: Command): Command {
  return command
    .option('--name <text>', 'for people')
    .option('--rate <[from=]basis points>', 'interest a year, of the part of a balance from so many minor units on; may be repeated', rate)
    .option('--debit-rate <basis points>', 'what a negative balance is charged a year', wholeNumber)
    .addOption(new Option('--day-count <convention>', 'how days are counted (default ACT_365)').choices(DAY_COUNTS))
    .addOption(new Option('--capitalise <when>', 'when accrued interest is booked (default MONTHLY)').choices(CAPITALISATIONS))
    .option('--term <term>', 'months or days, like 12m or 90d, or none', term)
    .option('--renews', 'a new term begins at the end of one')
    .option('--no-renews', 'principal and interest go to the linked account then (default)')
    .option('--request-id <id>', 'id of this request; made when not given');
}

/** The terms with what the options say; what they leave out stays. */
function termsOf(productId: string, options: TermsOptions, before: Partial<ProductInput> = {}): ProductInput {
  return {
    productId,
    name: options.name ?? before.name,
    dayCount: options.dayCount ?? before.dayCount,
    tiers: options.rate ?? before.tiers,
    debitBasisPoints: options.debitRate ?? before.debitBasisPoints,
    capitalisation: options.capitalise ?? before.capitalisation,
    ...(options.term ?? { termMonths: before.termMonths, termDays: before.termDays }),
    renews: options.renews ?? before.renews,
  };
}

function show(output: Output, changed: ProductChanged): void {
  output.thing(changed, [...productPairs(changed.product), ['request id', changed.requestId], againText(changed)]);
}

/** FROM=BASIS_POINTS, or BASIS_POINTS from 0 on, gathered over repeated options. */
function rate(text: string, gathered: readonly RateTier[] = []): readonly RateTier[] {
  const at = text.indexOf('=');
  return [...gathered, { fromMinor: at < 0 ? 0n : minorUnits(text.slice(0, at)), basisPoints: wholeNumber(text.slice(at + 1)) }];
}

function term(text: string): NonNullable<TermsOptions['term']> {
  if (text === 'none') return { termMonths: 0, termDays: 0 };
  const [, length, unit] = /^(\d+)([md])$/.exec(text) ?? [];
  if (length === undefined) throw new InvalidArgumentError('it is so many months or days, like 12m or 90d, or none');
  return unit === 'm' ? { termMonths: Number(length), termDays: 0 } : { termMonths: 0, termDays: Number(length) };
}
