/** @file Concepts of the domain arts. */
import type { DomainSpec } from './lexicon.ts';

/** Music, cinema, museums, theatre, photography. */
export const arts: DomainSpec = {
  domain: 'arts',
  clinical: false,
  concepts: [
    {
      id: 'music',
      label: 'music',
      description: 'scales, notes, rhythm, pitch, instruments',
      traits: ['musical', 'melodic', 'humming'],
      asides: ['in perfect harmony', 'to a slow melody', 'with a violin'],
      clauses: [
        'the<adj> pianist played a scale in <key>',
        'the <player> kept the rhythm of the song',
        'the <player> sang each note at the right pitch',
        'the song is in the key of <key>',
      ],
      slots: { key: ['C major', 'D minor', 'G major'], player: ['choir', 'band', 'drummer'] },
    },
    {
      id: 'cinema',
      label: 'cinema',
      description: 'films, actors, directors',
      traits: ['cinematic', 'scripted', 'subtitled'],
      asides: ['on the big screen', 'like a movie star', 'with popcorn'],
      clauses: [
        'the cast of the<adj> film won <prize>',
        'the film opened in cinemas <when>',
        'the<adj> director chose a young cast',
        'the actor in the<adj> film won <prize>',
      ],
      slots: { prize: ['an Oscar', 'a prize', 'great praise'] },
    },
    {
      id: 'museum',
      label: 'museums and culture',
      description: 'art, museums, the culture of peoples',
      traits: ['carved', 'historic', 'curated'],
      asides: ['in a glass case', 'behind the exhibit', 'for the curator'],
      clauses: [
        'the<adj> museum shows the culture of <people>',
        'the <people> culture left fine <works>',
        'ancient <works> hang in the museum',
      ],
      slots: { people: ['Rome', 'Egypt', 'Peru'], works: ['masks', 'statues', 'tapestries'] },
    },
    {
      id: 'stage-play',
      label: 'stage plays',
      description: 'theatre as a place for plays',
      traits: ['theatrical', 'costumed', 'dramatic'],
      asides: ['to loud applause', 'on the stage', 'behind the curtain'],
      clauses: [
        'the theatre staged a<adj> <play>',
        'the<adj> audience left the theatre in <mood>',
        'the curtain rose on the second act of the <play>',
      ],
      slots: { play: ['tragedy', 'comedy', 'ballet'], mood: ['tears', 'silence'] },
    },
    {
      id: 'photography',
      label: 'photography',
      description: 'photographs, their contrast, exposure and saturation',
      traits: ['blurred', 'photographed', 'grainy'],
      asides: ['in the viewfinder', 'with a flash', 'through the lens'],
      clauses: [
        'the photo has <much> contrast and low saturation',
        'the camera was set to a <much> exposure',
        'the<adj> photographer raised the contrast of the <subject>',
      ],
      slots: { much: ['strong', 'little', 'long'], subject: ['portrait', 'landscape'] },
    },
  ],
};
