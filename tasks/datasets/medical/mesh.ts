/** @file What MeSH terms are called in abstracts, which is a kind of which, and which of them a text can deny. */

export interface MeshTerm {
  synonyms?: readonly string[];
  /** The term that it is a kind of, in MeSH's tree of 2024. */
  parent?: string;
  /** A finding or a condition; the others are kinds of studies, of people, of measures. */
  deniable?: boolean;
}

export const MESH: Readonly<Record<string, MeshTerm>> = {
  'Age Factors': { synonyms: ['age', 'ages'] },
  'Aged, 80 and over': { synonyms: ['elderly', 'octogenarians', 'nonagenarians', 'oldest old'] },
  Adolescent: { synonyms: ['adolescents', 'teenagers', 'youth'] },
  Animals: { synonyms: ['rats', 'mice', 'rabbits', 'dogs', 'pigs', 'animal'] },
  'Body Mass Index': { synonyms: ['body mass index', 'BMI'] },
  'Breast Neoplasms': {
    synonyms: ['breast cancer', 'breast carcinoma', 'breast tumour', 'breast tumor'],
    deniable: true,
  },
  'Case-Control Studies': { synonyms: ['case-control study', 'cases and controls', 'matched controls'] },
  Child: { synonyms: ['children', 'pediatric', 'paediatric'] },
  'Child, Preschool': { synonyms: ['preschool children', 'toddlers'], parent: 'Child' },
  'Clinical Competence': { synonyms: ['competence', 'skills', 'proficiency'] },
  'Cohort Studies': { synonyms: ['cohort study', 'cohort'] },
  'Cross-Sectional Studies': { synonyms: ['cross-sectional study', 'cross-sectional survey'] },
  'Diagnosis, Differential': { synonyms: ['differential diagnosis'] },
  'Follow-Up Studies': { synonyms: ['follow-up', 'followed up'], parent: 'Cohort Studies' },
  Incidence: { synonyms: ['incidence', 'incidences'] },
  Infant: { synonyms: ['infants', 'babies'] },
  'Infant, Newborn': { synonyms: ['newborns', 'neonates', 'neonatal'], parent: 'Infant' },
  'Logistic Models': { synonyms: ['logistic regression'] },
  'Longitudinal Studies': { synonyms: ['longitudinal study'], parent: 'Cohort Studies' },
  'Magnetic Resonance Imaging': { synonyms: ['magnetic resonance imaging', 'MRI', 'MR imaging'] },
  'Multivariate Analysis': { synonyms: ['multivariate analysis', 'multivariable'] },
  'Neoplasm Staging': { synonyms: ['tumour stage', 'tumor stage', 'TNM', 'staging'] },
  'Odds Ratio': { synonyms: ['odds ratio', 'OR'] },
  'Postoperative Complications': {
    synonyms: ['postoperative complications', 'complications after surgery'],
    deniable: true,
  },
  'Predictive Value of Tests': { synonyms: ['predictive value'], parent: 'Sensitivity and Specificity' },
  Pregnancy: { synonyms: ['pregnancy', 'pregnant'], deniable: true },
  Prevalence: { synonyms: ['prevalence'] },
  Prognosis: { synonyms: ['prognosis', 'prognostic'] },
  'Prospective Studies': { synonyms: ['prospective study', 'prospectively'], parent: 'Cohort Studies' },
  'Quality of Life': { synonyms: ['quality of life', 'QoL'] },
  'Reproducibility of Results': { synonyms: ['reproducibility', 'reliability', 'validity'] },
  'Retrospective Studies': { synonyms: ['retrospective study', 'retrospectively'], parent: 'Cohort Studies' },
  'Risk Assessment': { synonyms: ['risk assessment', 'risk score'] },
  'Risk Factors': { synonyms: ['risk factors', 'risk factor'] },
  'Sensitivity and Specificity': { synonyms: ['sensitivity', 'specificity'] },
  'Severity of Illness Index': { synonyms: ['severity', 'severity score'] },
  'Surveys and Questionnaires': { synonyms: ['survey', 'questionnaire', 'questionnaires'] },
  'Survival Analysis': { synonyms: ['survival analysis', 'Kaplan-Meier'] },
  'Survival Rate': { synonyms: ['survival rate', 'survival'] },
  'Time Factors': { synonyms: ['time', 'duration'] },
  'Tomography, X-Ray Computed': { synonyms: ['computed tomography', 'CT', 'CT scan'] },
  'Treatment Outcome': { synonyms: ['outcome', 'outcomes', 'treatment outcome'] },
  'United States': { synonyms: ['United States', 'US', 'USA', 'American'] },
  'Young Adult': { synonyms: ['young adults', 'young adult'] },
};
