/** @file Concepts of the domain finance. */
import type { DomainSpec } from './lexicon.ts';

/** Bank loans, the stock market, the economy. */
export const finance: DomainSpec = {
  domain: 'finance',
  clinical: false,
  concepts: [
    {
      id: 'bank-loan',
      label: 'bank loan',
      description: 'money lent by a bank, interest, mortgages',
      traits: ['mortgaged', 'bankrupt', 'borrowed'],
      asides: ['on credit', 'with interest due', 'despite the overdraft'],
      clauses: [
        'the bank raised the interest rate to [2-9] percent',
        'the<adj> bank <did> the loan of [2-9]000 dollars',
        'a mortgage from the bank costs [2-9] percent interest',
        '<person> paid the <debt> back to the bank',
      ],
      slots: { did: ['approved', 'refused', 'doubled'], debt: ['loan', 'mortgage', 'debt'] },
    },
    {
      id: 'stock-market',
      label: 'stock market',
      description: 'shares, stock prices, investors',
      traits: ['speculative', 'bullish', 'profitable'],
      asides: ['at the opening bell', 'on the exchange', 'with rising shares'],
      clauses: [
        'the stock <moved> by [2-9] percent',
        '<person> <traded> shares of the <firm> firm',
        'the stock market <moved> <when>',
        'the <firm> stock paid a dividend',
      ],
      slots: { moved: ['rose', 'fell', 'crashed'], traded: ['bought', 'sold'], firm: ['oil', 'steel', 'software'] },
    },
    {
      id: 'economy',
      label: 'national economy',
      description: 'economic growth, inflation, wages, taxes',
      traits: ['taxed', 'fiscal', 'frugal'],
      asides: ['in a recession', 'despite the tariffs', 'before the tax reform'],
      clauses: [
        'economic growth slowed to [1-5] percent',
        'inflation put pressure on <target>',
        'the minister promised growth and lower taxes',
        'pressure on <target> grew with inflation',
      ],
      slots: { target: ['wages', 'prices', 'the budget'] },
    },
  ],
};
