/** What the services have in common when each is a process of its own: its life, and the servers it needs. */
export { Opening } from './opening';
export { LISTENING, type ListeningReport } from './listening-report';
export { runServiceProcess, type ServiceProcess } from './service-process';
