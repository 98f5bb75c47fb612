create table told (word text);
insert into told values ('made');
